//! A subagent that cannot go on names a specialist: the coordinator calls that one, and then the first one again.

use std::collections::BTreeSet;

use implementer_model::{
    findings::{Finding, FindingCode, Weight},
    ids::{RequirementId, SubagentName, TaskId},
    plan::Requirement,
    report::Report,
    rework::{Escalation, Request},
    roster::Subagent,
    schedule::{Again, Event, Task, Wave},
    scope::Scope,
    text,
};

use super::{
    Run,
    progress::{Observer, Progress},
};

impl Run {
    /// Calls the specialists that a blocked task names, and then the task again. `None` when none can be called; the
    /// record says why.
    pub(super) fn escalate(&mut self, blocked: &TaskId, report: &Report, observer: &mut dyn Observer) -> Option<Event> {
        let mut wanted: Vec<(SubagentName, String)> = Vec::new();
        for limitation in &report.limitations {
            let Some(name) = &limitation.needs else { continue };
            match wanted.iter_mut().find(|(other, _)| other == name) {
                Some((_, request)) => {
                    request.push('\n');
                    request.push_str(&limitation.text);
                }
                None => wanted.push((name.clone(), limitation.text.clone())),
            }
        }
        let mut specialists = Vec::new();
        for (name, request) in wanted {
            let called = self.specialist_for(blocked, &name, &request, observer);
            let (called, refused) = match called {
                Ok(task) => (Some(task), String::new()),
                Err(why) => (None, why),
            };
            if let Some(task) = &called {
                let because = format!("`{blocked}` needs it: {}", text::truncate(&request, 300));
                observer.observe(&Progress::TaskAgain { task, reason: &because });
                let request = Request { from: format!("task {blocked}"), text: request.clone() };
                self.requests.entry(task.clone()).or_default().push(request);
                specialists.push(Again { task: task.clone(), because });
            } else {
                let message = format!("{name} was not called, because {refused}");
                let finding = Finding::about(blocked, FindingCode::EscalationRefused, Weight::Blocking, message);
                self.findings.entry(blocked.clone()).or_default().push(finding);
            }
            self.escalations.push(Escalation {
                blocked: blocked.clone(),
                specialist: name,
                request: text::truncate(&request, 2_000),
                called,
                refused,
            });
        }
        if specialists.is_empty() {
            return None;
        }
        let helpers: Vec<_> = specialists.iter().map(|again| format!("`{}`", again.task)).collect();
        let because = format!("{} was called for what it needed", helpers.join(" and "));
        let back = vec![Again { task: blocked.clone(), because }];
        Some(Event::Follow { groups: specialists.into_iter().map(|again| vec![again]).chain([back]).collect() })
    }

    /// Finds the task in which a specialist is called for a blocked task, or says why it is not called.
    fn specialist_for(
        &mut self,
        blocked: &TaskId,
        name: &SubagentName,
        request: &str,
        observer: &mut dyn Observer,
    ) -> Result<TaskId, String> {
        let schedule = &self.intake.schedule;
        let subagent = self.intake.roster.get(name).ok_or("the roster has no such subagent")?.clone();
        if schedule.task(blocked).is_some_and(|task| task.subagent == *name) {
            return Err("it is the subagent that is blocked".to_owned());
        }
        let before = |escalation: &&Escalation| escalation.blocked == *blocked && escalation.specialist == *name;
        if self.escalations.iter().any(|escalation| before(&escalation) && escalation.called.is_some()) {
            return Err("it was called for this task before, and the task is still blocked".to_owned());
        }
        let task = schedule.tasks.iter().find(|task| task.subagent == *name).map(|task| task.id.clone());
        if let Some(task) = task {
            if self.waits_for(&task, blocked) {
                return Err(format!("its task `{task}` is itself waiting for `{blocked}`"));
            }
            return Ok(task);
        }
        if !self.intake.config.escalate_beyond_plan {
            return Err(
                "the plan has no task for it; give it a section in the plan, or set `escalate-beyond-plan`".to_owned()
            );
        }
        let task = self.new_task(blocked, &subagent, request);
        observer.observe(&Progress::TaskAdded { task: &task });
        Ok(self.add_task(task))
    }

    /// Tells whether `task` is blocked and, by one escalation or several, waits for `other`.
    fn waits_for(&self, task: &TaskId, other: &TaskId) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![task];
        while let Some(task) = waiting.pop() {
            if !seen.insert(task) {
                continue;
            }
            let called = self.escalations.iter().filter(|escalation| escalation.blocked == *task);
            for next in called.filter_map(|escalation| escalation.called.as_ref()) {
                if next == other {
                    return true;
                }
                waiting.push(next);
            }
        }
        false
    }

    /// Makes the task of a specialist that the plan does not have.
    fn new_task(&self, blocked: &TaskId, subagent: &Subagent, request: &str) -> Task {
        let schedule = &self.intake.schedule;
        let free = |id: &TaskId| schedule.task(id).is_none();
        let ids = (1_u32..).filter_map(|number| {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            TaskId::new(format!("{}{suffix}", subagent.role.name())).ok()
        });
        // Names of roles are ids, and only so many tasks are there.
        let id = ids.into_iter().find(free).unwrap_or_else(|| blocked.clone());
        let requirement = RequirementId::new(format!("{id}-1")).ok().map(|id| Requirement {
            id,
            text: text::truncate(&text::plain(request).split_whitespace().collect::<Vec<_>>().join(" "), 1_000),
            detail: String::new(),
            done: false,
            line: 1,
        });
        let config = &self.intake.config;
        let mut deny = subagent.exclude.clone();
        deny.extend(config.protected_paths());
        Task {
            title: format!("{} for {blocked}", subagent.role.title()),
            subagent: subagent.name.clone(),
            role: subagent.role,
            planned: false,
            requirements: requirement.into_iter().collect(),
            notes: String::new(),
            scope: Scope { allow: subagent.scope.clone(), deny },
            access: subagent.access,
            needs: Vec::new(),
            time_limit_s: config.time_limit(&subagent.name).as_secs(),
            id,
        }
    }

    /// Puts a task into the schedule, in a wave of its own.
    fn add_task(&mut self, task: Task) -> TaskId {
        let id = task.id.clone();
        let schedule = &mut self.intake.schedule;
        let number = schedule.waves.iter().map(|wave| wave.number).max().unwrap_or(0) + 1;
        self.machine.add(&task, number);
        schedule.waves.push(Wave { number, phase: task.phase(), tasks: vec![id.clone()] });
        schedule.not_needed.retain(|role| *role != task.role);
        schedule.tasks.push(task);
        id
    }
}
