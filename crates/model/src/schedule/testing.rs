//! Rosters and plans for the tests of this module.

use crate::{
    ids::{Digest, SubagentName, TaskId},
    plan::{Ownership, Plan, PlannedTask},
    roster::{Access, Origin, Role, Roster, Subagent, Terms},
};

pub(super) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn subagent(role: Role, scope: &[&str], exclude: &[&str]) -> Subagent {
    Subagent {
        name: SubagentName::new(role.builtin_name()).unwrap(),
        role,
        description: String::new(),
        prompt: String::new(),
        model: None,
        tools: None,
        terms: Terms::default(),
        access: if scope.is_empty() { Access::ReadOnly } else { Access::Writes },
        scope: strings(scope),
        exclude: strings(exclude),
        origin: Origin::BuiltIn,
    }
}

/// The eight, with scopes of the usual shape.
pub(super) fn roster() -> Roster {
    Roster::new([
        subagent(Role::Infrastructure, &["infra/**", "**/*.tf"], &["src/**"]),
        subagent(Role::DataTypes, &["src/types/**"], &[]),
        subagent(Role::Feature, &["**"], &["infra/**", "**/*.tf", "src/types/**", "deploy/**"]),
        subagent(Role::Cli, &["src/cli/**"], &[]),
        subagent(Role::Tests, &["tests/**"], &[]),
        subagent(Role::Review, &[], &[]),
        subagent(Role::Validation, &[], &[]),
        subagent(Role::Deployment, &["deploy/**", "Dockerfile"], &[]),
    ])
}

pub(super) fn task(name: &str, role: Role) -> PlannedTask {
    PlannedTask {
        id: id(name),
        subagent: SubagentName::new(role.builtin_name()).unwrap(),
        title: name.to_owned(),
        requirements: Vec::new(),
        notes: String::new(),
        touches: Vec::new(),
        also_touches: Vec::new(),
        needs: Vec::new(),
        parallel_with: Vec::new(),
        owner: Ownership::Named,
        reviewed: false,
        line: 1,
    }
}

impl PlannedTask {
    pub(super) fn touching(mut self, globs: &[&str]) -> Self {
        self.touches = strings(globs);
        self
    }

    pub(super) fn needing(mut self, tasks: &[&str]) -> Self {
        self.needs = tasks.iter().map(|name| id(name)).collect();
        self
    }

    pub(super) fn beside(mut self, tasks: &[&str]) -> Self {
        self.parallel_with = tasks.iter().map(|name| id(name)).collect();
        self
    }
}

/// A plan whose tasks stand on the lines 10, 20, 30 …
pub(super) fn plan(tasks: impl IntoIterator<Item = PlannedTask>) -> Plan {
    let lines = (1..).map(|n| n * 10);
    Plan {
        tasks: tasks.into_iter().zip(lines).map(|(task, line)| PlannedTask { line, ..task }).collect(),
        ..Plan::empty("plan.md", Digest::from_content(""))
    }
}

/// A short random source that proptest can shrink: numbers are taken from the front, zeros when there are none left.
pub(super) struct Choices(pub(super) std::vec::IntoIter<u16>);

impl Choices {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % limit.max(1)
    }
}

/// A plan that can be scheduled: needs go backwards only, in the plan and in the phases.
pub(super) fn random_plan(choices: &mut Choices, count: usize) -> Plan {
    let touches: [&[&str]; 6] =
        [&[], &[], &["src/a/**"], &["src/{a,b}/*.py", "docs"], &["src/b"], &["lib/**/x", "src/a/one.py"]];
    let mut tasks: Vec<PlannedTask> = Vec::new();
    for n in 0..count {
        let role = Role::ALL[choices.below(8)];
        let mut planned = task(&format!("t{n}"), role);
        if matches!(role, Role::Feature | Role::Cli | Role::Tests) {
            planned = planned.touching(touches[choices.below(touches.len())]);
        }
        for earlier in &tasks {
            let earlier_role = Role::ALL.into_iter().find(|role| role.builtin_name() == earlier.subagent.as_str());
            if earlier_role.is_some_and(|earlier| earlier <= role) && choices.below(5) == 1 {
                planned.needs.push(earlier.id.clone());
            }
            if choices.below(6) == 1 {
                planned.parallel_with.push(earlier.id.clone());
            }
        }
        tasks.push(planned);
    }
    plan(tasks)
}
