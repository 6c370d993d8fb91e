//! Limits that several modules keep to, each with its source. Imports nothing.

/// The most jobs of one matrix ("Running variations of jobs in a workflow", docs.github.com).
pub const MATRIX_JOBS_MAX: usize = 256;

/// The most tasks that a plan may have: each can be a job.
pub const TASKS_MAX: usize = MATRIX_JOBS_MAX;

/// The most rounds of rework that a configuration can ask for.
pub const REWORK_ROUNDS_MAX: u32 = 5;

/// The rounds of rework when the configuration does not say.
pub const REWORK_ROUNDS_DEFAULT: u32 = 2;

/// The longest title of a plan or a task, in characters: it stands in one line wherever it is shown.
pub const TITLE_MAX: usize = 1_000;
