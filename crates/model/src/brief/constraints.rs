//! What each role must keep to, in the words of the role.

use std::fmt::Write as _;

use super::{BriefInput, LIST_MAX_BYTES, block};
use crate::roster::{Access, Role};

/// Writes the constraints.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    out.push_str("\n## Constraints\n\n");
    let of_role = of_role(input.task.role);
    let of_access: &[&str] = match input.task.access {
        Access::ReadOnly => {
            &["You change nothing: any change of a file that git does not ignore counts as out of scope."]
        }
        Access::Writes => &["You change what your requirements ask for, within your scope, and nothing else."],
    };
    for constraint in of_access.iter().chain(of_role).chain(OF_ALL) {
        let _ = writeln!(out, "- {constraint}");
    }
    if !input.plan.out_of_scope.is_empty() {
        out.push_str(
            "- The plan says that the following is not to be done. Do none of it, whatever else would be useful.\n",
        );
        block(out, &input.plan.out_of_scope.join("\n\n"), LIST_MAX_BYTES);
    }
}

/// What everybody keeps to.
const OF_ALL: &[&str] = &[
    "What you need and nobody made yet is not yours to make outside your role: report the status `blocked`, with a \
     limitation that says what is missing and names the subagent that could make it.",
    "Say only what is so. Work that is partly done is `partial`, with a note.",
    "Leave no process running. Push nothing, and change no git configuration, remote or hook.",
];

fn of_role(role: Role) -> &'static [&'static str] {
    match role {
        Role::Infrastructure => {
            &["You make cloud resources, templates and service configuration; no business logic and no data types."]
        }
        Role::DataTypes => {
            &["You make data types, their definitions and their validation; no business logic and no infrastructure."]
        }
        Role::Feature => &[
            "You use the existing types and the existing infrastructure only. When a requirement needs a type that \
             does not exist, stop, report `blocked` and name the data types subagent (`backend-datatypes`); when it \
             needs infrastructure that does not exist, name `backend-cloud-infrastructure-architect`. You are \
             retried when it is there.",
            "You make no deployment configuration.",
        ],
        Role::Cli => {
            &["You make commands and their help, on top of the business logic that is there. When logic is missing, \
             report `blocked` and name `backend-feature-implementer`."]
        }
        Role::Tests => {
            &["You write tests, and run them. A test that fails because the code is wrong stays as it is: report a \
             finding with path and line, and do not weaken the test."]
        }
        Role::Review => {
            &["You review the work against the requirements, the repository's standards, security and performance. \
             Report what is wrong as findings with path, line and severity; only `blocking` keeps the gate shut."]
        }
        Role::Validation => {
            &["You validate the integrated work against the real stack, end to end. Report what you ran as evidence, \
             with exit codes, and what is wrong as findings."]
        }
        Role::Deployment => &["You make deployment configuration, environments and scripts; you deploy nothing."],
    }
}
