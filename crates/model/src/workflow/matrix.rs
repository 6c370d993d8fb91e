//! The matrix of a wave: which jobs there are, what each does, and on which runner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    config::WorkflowConfig,
    ids::{SubagentName, TaskId},
};

/// The most bytes that the outputs of a job may have ("Contexts reference", docs.github.com: 1 MB); a matrix gets half of
/// it, because outputs are counted in UTF-16.
pub const MATRIX_MAX_BYTES: usize = 500_000;

/// The longest that a job may take, in minutes ("Usage limits", docs.github.com: six hours).
const JOB_MAX_MINUTES: u64 = 360;

/// The longest that a job may take that waits for a workflow, in minutes ("Usage limits", docs.github.com: five days on a
/// runner of one's own; GitHub's runners end it after six hours whatever it asks for).
const WAITING_MAX_MINUTES: u64 = 5 * 24 * 60;

/// What a job needs beside its tasks, in minutes: preparing, the users' own set-up, collecting.
const JOB_ROOM_MINUTES: u64 = 20;

/// How long a workflow may wait for a runner, in minutes: special ones are few.
const QUEUE_MINUTES: u64 = 60;

/// An attempt that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegTask {
    /// The task.
    pub task: TaskId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Who makes it.
    pub subagent: SubagentName,
    /// Its time limit, in seconds.
    pub time_limit_s: u64,
}

/// One job of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Leg {
    /// Its number, from 0: it names the output in which the job says what it uploaded.
    pub slot: usize,
    /// Its name on the Actions page.
    pub name: String,
    /// Its attempts as `TASK#ATTEMPT`, with blanks between.
    pub tasks: String,
    /// The folder of its first attempt in the job's folder.
    pub folder: String,
    /// The subagent that makes them; none for the gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<SubagentName>,
    /// The labels of its runner, as a JSON list.
    pub runs_on: String,
    /// After how many minutes the runner ends it.
    pub timeout: u64,
    /// Whether a workflow of its own does the work, and this job only waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dispatched: bool,
}

impl Leg {
    /// Returns the one job of the gates.
    #[must_use]
    pub fn gates() -> Self {
        Self {
            slot: 0,
            name: "gates".to_owned(),
            tasks: "gates".to_owned(),
            folder: "gates".to_owned(),
            // Nobody in particular: every role of the quality phase has a part in them.
            subagent: None,
            runs_on: String::new(),
            timeout: JOB_MAX_MINUTES,
            dispatched: false,
        }
    }
}

/// Returns how many minutes a workflow has that does tasks of so many seconds in all, from its start to its end.
#[must_use]
pub fn dispatched_minutes(seconds: u64) -> u64 {
    (seconds.div_ceil(60).saturating_add(JOB_ROOM_MINUTES + QUEUE_MINUTES)).min(WAITING_MAX_MINUTES - JOB_ROOM_MINUTES)
}

/// Makes the jobs of a wave: one for each attempt, or, beyond what a matrix may have, attempts of the same subagent in
/// one job, one after another. The order is that of the attempts.
#[must_use]
pub fn pack(tasks: &[LegTask], config: &WorkflowConfig) -> Vec<Leg> {
    let mut cap = config.jobs_per_wave();
    loop {
        let legs = pack_into(tasks, config, cap);
        if cap == 1 || size(&legs) <= MATRIX_MAX_BYTES {
            return legs;
        }
        cap = (cap / 2).max(1);
    }
}

fn size(legs: &[Leg]) -> usize {
    // Plain strings and numbers; an error would only mean that nothing is known of the size.
    serde_json::to_string(legs).map_or(usize::MAX, |json| json.len())
}

fn pack_into(tasks: &[LegTask], config: &WorkflowConfig, cap: usize) -> Vec<Leg> {
    let mut groups: BTreeMap<&SubagentName, Vec<&LegTask>> = BTreeMap::new();
    let mut order = Vec::new();
    for task in tasks {
        let group = groups.entry(&task.subagent).or_default();
        if group.is_empty() {
            order.push(&task.subagent);
        }
        group.push(task);
    }
    let mut chunks: Vec<Vec<&LegTask>> = Vec::new();
    if tasks.len() <= cap {
        chunks.extend(tasks.iter().map(|task| vec![task]));
    } else {
        // Every subagent gets its share of the jobs, and one at least.
        let spare = cap.saturating_sub(order.len());
        for subagent in order {
            let group = groups.remove(subagent).expect("invariant: the order names the groups, each once");
            let share = 1 + spare * group.len() / tasks.len();
            let each = group.len().div_ceil(share.min(group.len()));
            chunks.extend(group.chunks(each.max(1)).map(<[_]>::to_vec));
        }
    }
    chunks.into_iter().enumerate().filter_map(|(slot, chunk)| leg(slot, &chunk, config)).collect()
}

fn leg(slot: usize, chunk: &[&LegTask], config: &WorkflowConfig) -> Option<Leg> {
    let first = chunk.first()?;
    let name = |task: &&LegTask| format!("{}#{}", task.task, task.attempt);
    let seconds: u64 = chunk.iter().map(|task| task.time_limit_s).sum();
    let mut title = match first.attempt {
        1 => first.task.to_string(),
        attempt => format!("{} (attempt {attempt})", first.task),
    };
    if chunk.len() > 1 {
        title = format!("{title} and {} more", chunk.len() - 1);
    }
    let dispatched = config.dispatch(&first.subagent).is_some();
    Some(Leg {
        slot,
        name: title,
        tasks: chunk.iter().map(name).collect::<Vec<_>>().join(" "),
        folder: format!("{}-{}", first.task, first.attempt),
        subagent: Some(first.subagent.clone()),
        runs_on: serde_json::to_string(&config.runs_on(&first.subagent))
            .expect("invariant: a list of texts can be written"),
        timeout: if dispatched {
            // The one that waits must not be the first to end.
            dispatched_minutes(seconds) + JOB_ROOM_MINUTES
        } else {
            (seconds.div_ceil(60) + JOB_ROOM_MINUTES).min(JOB_MAX_MINUTES)
        },
        dispatched,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tasks(count: usize, subagents: usize) -> Vec<LegTask> {
        let task = |at: usize| LegTask {
            task: TaskId::new(format!("task-{at}")).unwrap(),
            attempt: 1,
            subagent: SubagentName::new(format!("agent-{}", at % subagents)).unwrap(),
            time_limit_s: 60,
        };
        (0..count).map(task).collect()
    }

    #[test]
    fn a_task_is_a_job_while_there_is_room() {
        let legs = pack(&tasks(3, 2), &WorkflowConfig::default());
        let named: Vec<_> = legs.iter().map(|leg| (leg.slot, leg.tasks.as_str(), leg.timeout)).collect();
        assert_eq!(named, [(0, "task-0#1", 21), (1, "task-1#1", 21), (2, "task-2#1", 21)]);
        assert_eq!(legs[0].runs_on, r#"["ubuntu-24.04"]"#);
        assert!(pack(&[], &WorkflowConfig::default()).is_empty());
    }

    #[test]
    fn a_job_that_waits_has_the_time_of_its_workflow_and_more() {
        let mut config = WorkflowConfig::default();
        let dispatch: crate::config::WorkflowDispatch = serde_json::from_str(r#"{"workflow":"x.yml"}"#).unwrap();
        let special = crate::config::WorkflowSubagent { dispatch: Some(dispatch), ..Default::default() };
        config.subagents.insert(SubagentName::new("agent-1").unwrap(), special);
        let legs = pack(&tasks(2, 2), &config);
        let said: Vec<_> = legs.iter().map(|leg| (leg.slot, leg.dispatched, leg.timeout)).collect();
        assert_eq!(said, [(0, false, 21), (1, true, 101)]);
        assert_eq!(dispatched_minutes(60), 81);
        assert_eq!(dispatched_minutes(u64::MAX) + JOB_ROOM_MINUTES, WAITING_MAX_MINUTES);
        let json = serde_json::to_string(&legs).unwrap();
        assert_eq!(json.matches("dispatched").count(), 1, "{json}");
    }

    proptest! {
        #[test]
        fn every_attempt_is_in_exactly_one_job_with_others_of_its_subagent(
            count in 1_usize..257, subagents in 1_usize..9, cap in 8_u64..257,
        ) {
            let config = WorkflowConfig { jobs_per_wave: Some(cap), ..WorkflowConfig::default() };
            let tasks = tasks(count, subagents);
            let legs = pack(&tasks, &config);
            prop_assert!(legs.len() as u64 <= cap, "{} jobs, {cap} allowed", legs.len());
            prop_assert!(size(&legs) <= MATRIX_MAX_BYTES);
            let mut packed: Vec<_> = legs.iter().flat_map(|leg| leg.tasks.split(' ')).map(str::to_owned).collect();
            let mut wanted: Vec<_> = tasks.iter().map(|task| format!("{}#1", task.task)).collect();
            packed.sort();
            wanted.sort();
            prop_assert_eq!(packed, wanted);
            for leg in &legs {
                for name in leg.tasks.split(' ') {
                    let task = tasks.iter().find(|task| format!("{}#1", task.task) == name).unwrap();
                    prop_assert_eq!(Some(&task.subagent), leg.subagent.as_ref());
                }
            }
            prop_assert!(legs.iter().enumerate().all(|(at, leg)| leg.slot == at));
        }
    }
}
