//! What a step says in its log where people look: annotations, and what could not be reported elsewhere.

use implementer_model::{
    diagnostics::{Diagnostic, Severity},
    text,
};

use super::{ANNOTATIONS_MAX, Step, StepError, conversation::Previewed};
use crate::{
    actions::{Level, RunnerError, annotation},
    errors,
};

impl Step<'_> {
    /// Says in the log, and where the step's summary is read, what could not be reported elsewhere.
    pub(super) fn degraded(&self, notes: &[String]) -> Result<(), RunnerError> {
        for note in notes {
            self.log.command(&annotation(Level::Warning, None, "Not reported everywhere", note));
            self.runner.append_summary(&format!("\n> Not reported everywhere: {}\n", text::markdown(note)))?;
        }
        Ok(())
    }

    pub(super) fn annotate_problems(&self, shown: &Previewed) {
        let of = |level: Severity| shown.problems.iter().filter(move |problem| problem.severity == level);
        let shown_ones = of(Severity::Error).take(ANNOTATIONS_MAX).chain(of(Severity::Warning).take(ANNOTATIONS_MAX));
        for problem in shown_ones {
            self.log.command(&annotation_of(problem, shown.plan_path.as_deref()));
        }
        for problem in &shown.problems {
            self.log.line(&problem.to_string());
        }
    }

    /// Annotates why the step failed, with what to do.
    pub(super) fn annotate(&self, error: &StepError) {
        for problem in error.diagnostics().iter().take(ANNOTATIONS_MAX) {
            self.log.command(&annotation_of(problem, None));
        }
        let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
        let message = format!("{}{hint}", errors::chain(error));
        self.log.command(&annotation(Level::Error, None, "Backend Implementer", &message));
    }
}

/// Makes the annotation of a problem; on its line, when it is in a file of the repository.
fn annotation_of(problem: &Diagnostic, plan_path: Option<&str>) -> String {
    let level = match problem.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Notice,
    };
    let hint = problem.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    let in_file = plan_path == Some(problem.file.as_str());
    let line = problem.position.map_or(1, |position| position.line as usize);
    let place = in_file.then_some((problem.file.as_str(), line));
    let message = if in_file {
        format!("{}{hint}", problem.message)
    } else {
        format!("{}:{line}: {}{hint}", problem.file, problem.message)
    };
    annotation(level, place, &problem.code, &message)
}
