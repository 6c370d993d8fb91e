//! The texts that a repository begins with.

use std::fmt::Write as _;

use serde_json::json;

use super::{
    Reason, Start, Variables, Wishes,
    detect::{Found, JobStep},
};
use crate::{config::Layout, wording::page};

const CHECKOUT: &str = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2";

pub(super) fn write(found: &Found, wishes: &Wishes) -> Start {
    let secrets: Vec<String> = found.program.iter().map(|program| program.variables.key.clone()).collect();
    let mut reasons = found.reasons.clone();
    let mut reason = |what: String, because: &str| reasons.push(Reason { what, because: because.to_owned() });
    for (program, name) in further(found) {
        reason(format!("pass-environment {name}"), &format!("it is set here, and {program} reaches its model by it"));
    }
    for test in &found.tests {
        reason(format!("gate tests: {}", test.command), &test.because);
    }
    if let Some(command) = &found.validation {
        reason(format!("gate validation: {}", command.command), &command.because);
    }
    for setup in &found.setup {
        reason(format!("setup: {}", setup.run), &setup.because);
    }
    for step in &found.steps {
        match step {
            JobStep::Uses { action, because, .. } => {
                reason(format!("step {}", action.split('@').next().unwrap_or(action)), because);
            }
            JobStep::Run { command, because } => reason(format!("step {command}"), because),
        }
    }
    if !found.services.is_empty() {
        reason(format!("services {}", found.services.join(", ")), &format!("{} names them", found.services_file));
    }
    Start {
        configuration: configuration(found, wishes),
        plan: plan(found),
        secrets,
        reasons,
        plans: found.plans.clone(),
    }
}

/// Goes through what is passed to the agent program beside its key.
fn further(found: &Found) -> impl Iterator<Item = (&str, &str)> {
    let programs = found.program.iter();
    programs.flat_map(|program| program.variables.further.iter().map(|name| (program.kind.as_str(), name.as_str())))
}

fn configuration(found: &Found, wishes: &Wishes) -> String {
    let mut text = "# The configuration of the Backend Implementer, as `backend-implementer init` wrote it for this repository.\n\
                    # `backend-implementer schema config` prints the schema of every key, and `doctor` says what is missing.\n\n"
        .to_owned();
    agent(&mut text, found);
    setup(&mut text, found);
    gates(&mut text, found);
    if found.agent_files > 0 {
        let _ = writeln!(
            text,
            "# {} of this repository count beside the eight subagents that are built in; `backend-implementer agents`\n\
             # lists them, and here is where one is changed.\n# subagents:\n#   backend-datatypes:\n#     scope: [src/domain/**]\n",
            crate::text::count(found.agent_files, "agent file")
        );
    }
    text.push_str(
        "# What one attempt and the whole run may cost at most, in turns and dollars.\n# limits:\n#   turns: 150\n#   cost: 5\n#   \
         run-cost: 40\n\n",
    );
    workflow(&mut text, found, wishes);
    text
}

fn agent(text: &mut String, found: &Found) {
    let because = found.reasons.first().map_or("", |reason| reason.because.as_str());
    let _ = writeln!(text, "# Who does the work of the subagents: {}.", plain(because));
    let _ = writeln!(text, "agent:\n  kind: {}", scalar(&found.agent));
    match &found.program {
        Some(program) => {
            let _ = writeln!(
                text,
                "agents:\n  {}:\n    # Its key, by name: a subagent sees no other variable.\n    pass-environment: [{}]\n",
                scalar(&program.kind),
                std::iter::once(program.variables.key.as_str())
                    .chain(further(found).map(|(_, name)| name))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        None => {
            let _ = writeln!(
                text,
                "  # Your own program: it reads a brief and writes a report, see\n  # {}\n  command: [./agents/run.sh]\n",
                page("command-agent.md")
            );
        }
    }
}

fn setup(text: &mut String, found: &Found) {
    if found.setup.is_empty() {
        return;
    }
    text.push_str(
        "# What every working copy needs before a subagent or a gate runs in it. It is run again when one of the files changes.\n\
         setup:\n",
    );
    for command in &found.setup {
        let files: Vec<String> = command.files.iter().map(|file| scalar(file)).collect();
        let _ = writeln!(
            text,
            "  - run: {} # {}\n    files: [{}]",
            scalar(&command.run),
            plain(&command.because),
            files.join(", ")
        );
    }
    text.push('\n');
}

fn gates(text: &mut String, found: &Found) {
    text.push_str("# What must pass before the implementation is complete. Run without a shell.\n");
    if found.tests.is_empty() && found.validation.is_some() {
        text.push_str("# No command for tests was found in this repository: name yours. Without one the tests gate cannot pass.\n");
    } else if found.tests.is_empty() {
        text.push_str(
            "# No command for tests was found in this repository: name yours. Without one the tests gate cannot pass.\n# gates:\n#   \
             tests:\n#     commands: [make test]\n\n",
        );
        return;
    }
    text.push_str("gates:\n");
    text.push_str(if found.tests.is_empty() {
        "  # tests:\n  #   commands: [make test]\n"
    } else {
        "  tests:\n    commands:\n"
    });
    for test in &found.tests {
        let _ = writeln!(text, "      - {} # {}", scalar(&test.command), plain(&test.because));
    }
    match &found.validation {
        Some(command) => {
            let _ = writeln!(
                text,
                "  # What shows that the product holds together; better yet, a command that starts it and asks it something.\n  \
                 validation:\n    commands:\n      - {} # {}\n",
                scalar(&command.command),
                plain(&command.because)
            );
        }
        None => text.push_str(
            "  # Without a command this gate cannot pass, unless the plan's Verification names one.\n  # validation:\n  #   \
             commands: [make smoke-test]\n\n",
        ),
    }
}

fn workflow(text: &mut String, found: &Found, wishes: &Wishes) {
    text.push_str("# What `backend-implementer generate` makes the workflow from.\nworkflow:\n");
    let _ = writeln!(text, "  action: {}", wishes.action);
    let why = match wishes.layout {
        Layout::OneJob => "one job does the work; `matrix` spreads every wave over jobs of their own",
        Layout::Matrix => "every wave is a matrix of jobs; `one-job` is simpler and needs fewer runners",
    };
    let _ = writeln!(text, "  layout: {} # {why}", wishes.layout.name());
    if let Some(program) = &found.program {
        let Variables { key, further } = &program.variables;
        let _ = writeln!(text, "  secrets: [{key}] # create it: gh secret set {key}");
        if !further.is_empty() {
            let _ = writeln!(text, "  # So is what else is passed, where runners need it: {}.", further.join(", "));
        }
    }
    let installs = found.program.as_ref().map(|program| program.install.as_str()).filter(|install| !install.is_empty());
    if found.steps.is_empty() && installs.is_none() && found.services.is_empty() {
        return;
    }
    text.push_str("  setup: # your own steps, before everything of ours\n");
    if found.needs_checkout {
        let _ = writeln!(text, "    - uses: {CHECKOUT}\n      with: {{ persist-credentials: false }}");
    }
    for step in &found.steps {
        match step {
            JobStep::Uses { action, with, because } => {
                let with: Vec<String> = with.iter().map(|(name, value)| format!("{name}: {}", json!(value))).collect();
                let _ =
                    writeln!(text, "    - uses: {action}; {}\n      with: {{ {} }}", plain(because), with.join(", "));
            }
            JobStep::Run { command, because } => {
                let _ = writeln!(text, "    - run: {} # {}", scalar(command), plain(because));
            }
        }
    }
    if !found.services.is_empty() {
        let command = format!("docker compose up --detach --wait {}", found.services.join(" "));
        let _ = writeln!(text, "    - run: {command} # {} names them", plain(&found.services_file));
    }
    if let Some(install) = installs {
        let _ = writeln!(text, "    - run: {} # the agent program, in a version that is tested", scalar(install));
    }
}

fn plan(found: &Found) -> String {
    let command = found.tests.first().map_or("make test", |test| test.command.as_str());
    let validation = found.validation.as_ref().map_or("git --version", |test| test.command.as_str());
    format!(
        "# A first plan\n\nSomething small, to see everything once: preview, approval, work, gates, summary.\n\n\
         ## Feature\n\n- Add a file `docs/first-plan.md` that says in three sentences what this repository does\n\n\
         ## Verification\n\n- tests: `{}`\n- validation: `{}`\n",
        command.replace('`', "'"),
        validation.replace('`', "'"),
    )
}

/// Writes a text as YAML that means it, quoted where it must be.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/'));
    let rest =
        text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '/' | '-' | '_' | '=' | '@' | '+'));
    let word = !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    let number = text.parse::<f64>().is_ok();
    if first && rest && word && !number && !text.ends_with(' ') { text.to_owned() } else { json!(text).to_string() }
}

/// Makes a text of the repository's one line of a comment.
fn plain(text: &str) -> String {
    crate::text::truncate(&crate::text::plain(text).replace('\n', " "), 120)
}
