//! The published JSON schemas (draft 2020-12), as they stand in docs/schemas. They are made from the types of the model, and a
//! test compares the two: code that makes them at run time would be a third of a megabyte of the program.

/// That of the plan in YAML or JSON.
pub const PLAN: &str = include_str!("../docs/schemas/plan.json");

/// That of the report that a subagent writes.
pub const REPORT: &str = include_str!("../docs/schemas/report.json");

/// That of the hand-off that a run writes.
pub const HANDOFF: &str = include_str!("../docs/schemas/handoff.json");

/// That of the configuration.
pub const CONFIG: &str = include_str!("../docs/schemas/config.json");
