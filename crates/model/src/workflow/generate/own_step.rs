//! Steps that are the action itself.

use super::Text;

impl Text<'_> {
    /// A step that is the action itself. Above it stands how it is called, and below it its inputs, each on a line of its own.
    pub(super) fn own_step(&mut self, head: &str, command: &str, inputs: &str) {
        let action = self.action;
        self.lines(
            2,
            &format!("    - {head}\n      uses: {action}\n      with:\n        command: {command}\n{inputs}"),
        );
    }

    /// The first step of a job that works, whose outputs say what it is due.
    pub(super) fn prepare(&mut self, inputs: &str) {
        self.own_step("name: Prepare\n      id: prepare", "prepare", inputs);
    }

    /// The last step of a job that works.
    pub(super) fn collect(&mut self, inputs: &str) {
        self.own_step("name: Collect\n      id: collect\n      if: always()", "collect", inputs);
    }
}
