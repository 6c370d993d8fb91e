//! What a check run can say: how it ended, texts, remarks on lines, and how much of each GitHub takes.

/// The most characters of a check run's summary, and of its text ("REST API endpoints for check runs",
/// docs.github.com).
pub const OUTPUT_MAX_CHARS: usize = 65_535;

/// The most annotations that one request takes; GitHub drops what is beyond it without a word (same page).
pub const ANNOTATIONS_PER_REQUEST: usize = 50;

/// How a check run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Everything is well.
    Success,
    /// Something is not.
    Failure,
    /// Nothing to object to, nothing to show. Counts as passed for branch protection.
    Neutral,
    /// It did not run. Counts as passed for branch protection.
    Skipped,
    /// It ran out of time.
    TimedOut,
    /// Somebody stopped it.
    Cancelled,
    /// Somebody has to do something first. Keeps branch protection shut.
    ActionRequired,
}

impl Conclusion {
    /// Returns the name in GitHub's interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::ActionRequired => "action_required",
        }
    }
}

/// How much an annotation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// Worth knowing.
    Notice,
    /// Somebody should look.
    Warning,
    /// Somebody has to fix it.
    Failure,
}

impl AnnotationLevel {
    /// Returns the name in GitHub's interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// A remark on lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The path in the tree.
    pub path: String,
    /// The first line, from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How much it weighs.
    pub level: AnnotationLevel,
    /// Its heading.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPage {
    /// How it ended.
    pub conclusion: Conclusion,
    /// Its heading.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown with the details.
    pub text: String,
    /// Remarks on lines.
    pub annotations: Vec<Annotation>,
}

/// Splits annotations into what one request takes.
pub fn batches(annotations: &[Annotation]) -> impl Iterator<Item = &[Annotation]> {
    annotations.chunks(ANNOTATIONS_PER_REQUEST)
}
