//! Pictures as mermaid source: the schedule before a run, the run with its states, and its timeline.
//!
//! GitHub draws them inside comments. Mermaid refuses text of more than 50,000 characters and graphs of more than 500
//! edges (its `maxTextSize` and `maxEdges`), and people cannot read far smaller ones, so tasks are drawn together as
//! far as it takes: first those of one subagent in a wave, then those of one subagent in a phase, then whole phases.

mod escaping;
mod timeline;

use std::collections::BTreeSet;

pub use escaping::escape;
pub(super) use timeline::timeline_within;

use super::{
    gates::standings,
    graph::{Graph, NodeTask, Together, run_nodes, short},
    index::RunIndex,
    wording::{self, Look},
};
use crate::{handoff::Handoff, roster::Phase, schedule::Schedule, text};

/// The most characters of one picture, below mermaid's own limit of 50,000.
pub const MAX_CHARS: usize = 40_000;

/// The most arrows of rework: more than a few hide the picture.
const REWORK_EDGES_MAX: usize = 12;

/// The most characters of one foreign name.
const NAME_CHARS: usize = 64;

/// Draws a schedule before its run: phases as groups, waves one after the other, needs as dotted arrows.
#[must_use]
pub fn schedule_graph(schedule: &Schedule) -> String {
    let nodes: Vec<_> = schedule
        .tasks
        .iter()
        .map(|task| NodeTask { id: &task.id, task: Some(task), outcome: None, attempts: 0 })
        .collect();
    graph(schedule, &nodes, None, MAX_CHARS)
}

/// Draws a run: the schedule with what became of each task, and the gates.
#[must_use]
pub fn run_graph(handoff: &Handoff) -> String {
    run_graph_within(&RunIndex::new(handoff), MAX_CHARS)
}

pub(super) fn run_graph_within(index: &RunIndex<'_>, max_chars: usize) -> String {
    let nodes = run_nodes(index);
    graph(&index.handoff.schedule, &nodes, Some(index.handoff), max_chars)
}

/// Draws when each attempt ran, as a gantt chart; `None` when nothing ran.
#[must_use]
pub fn timeline(handoff: &Handoff) -> Option<String> {
    timeline_within(&RunIndex::new(handoff), MAX_CHARS)
}

fn graph(schedule: &Schedule, tasks: &[NodeTask<'_>], run: Option<&Handoff>, max_chars: usize) -> String {
    let mut drawn = String::new();
    for graph in Graph::readable(schedule, tasks) {
        drawn = graph.draw(run);
        if drawn.chars().count() <= max_chars {
            break;
        }
    }
    drawn
}

impl Graph<'_> {
    fn draw(&self, run: Option<&Handoff>) -> String {
        let mut out = String::from("flowchart LR\n");
        let mut looks = BTreeSet::new();
        // A frame for each wave, or for each phase where waves are drawn together; they follow one another.
        let mut groups: Vec<String> = Vec::new();
        for (number, (key, tasks)) in self.nodes.iter().enumerate() {
            let (id, title) = self.frame(key.0, key.1);
            if groups.last() != Some(&id) {
                if !groups.is_empty() {
                    out.push_str("  end\n");
                }
                out.push_str(&format!("  subgraph {id}[\"{title}\"]\n  direction TB\n"));
                groups.push(id);
            }
            let look = tasks.iter().map(NodeTask::look).max().unwrap_or(Look::Planned);
            looks.insert(look);
            out.push_str(&format!("    t{number}[\"{}\"]:::{}\n", self.label(tasks), look.class()));
        }
        if !groups.is_empty() {
            out.push_str("  end\n");
        }
        if let Some(handoff) = run {
            out.push_str("  subgraph gates[\"Gates\"]\n  direction TB\n");
            for gate in standings(handoff) {
                let (look, said) = (gate.look(), gate.said());
                looks.insert(look);
                out.push_str(&format!("    g{}[\"{}: {said}\"]:::{}\n", gate.gate as usize, gate.gate, look.class()));
            }
            // An invisible link keeps them in their order.
            out.push_str("    g0 ~~~ g1 ~~~ g2\n");
            out.push_str("  end\n");
            groups.push("gates".to_owned());
        }
        for pair in groups.windows(2) {
            out.push_str(&format!("  {} -.-> {}\n", pair[0], pair[1]));
        }
        for (from, to) in &self.edges {
            out.push_str(&format!("  t{from} --> t{to}\n"));
        }
        if let Some(handoff) = run {
            self.draw_rework(&mut out, handoff);
        }
        for look in looks {
            out.push_str(&format!("  classDef {} {}\n", look.class(), style(look)));
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// Returns id and title of the frame that a node stands in.
    fn frame(&self, phase: Option<Phase>, wave: usize) -> (String, String) {
        let name = phase.map_or("added during the run", Phase::name);
        match phase {
            Some(phase) if self.by_phase() => {
                (format!("p{}", phase.number()), format!("Phase {}: {name}", phase.number()))
            }
            None if self.by_phase() => ("added".to_owned(), name.to_owned()),
            _ if wave == usize::MAX => ("later".to_owned(), format!("No wave: {name}")),
            _ => (format!("w{wave}"), format!("Wave {wave}: {name}")),
        }
    }

    /// Draws an arrow from the gates back to each task that a round of rework repeated.
    fn draw_rework(&self, out: &mut String, handoff: &Handoff) {
        let mut drawn = BTreeSet::new();
        for round in &handoff.rework {
            for call in &round.called {
                let node = self.nodes.values().position(|tasks| tasks.iter().any(|task| *task.id == call.task));
                if let Some(node) =
                    node.filter(|node| drawn.len() < REWORK_EDGES_MAX && drawn.insert((*node, round.number)))
                {
                    out.push_str(&format!("  gates -. \"rework {}\" .-> t{node}\n", round.number));
                }
            }
        }
    }

    fn label(&self, tasks: &[NodeTask<'_>]) -> String {
        let name = |name: &str| escape(&text::truncate(name, NAME_CHARS));
        match tasks {
            [task] => {
                let attempts = if task.attempts > 1 { format!(", {} attempts", task.attempts) } else { String::new() };
                let state = task.outcome.map(|outcome| format!("<br>{}{attempts}", outcome.name())).unwrap_or_default();
                format!("{}{state}<br>{}", name(task.id.as_str()), name(short(task.subagent())))
            }
            tasks => {
                let all = text::count(tasks.len(), "task");
                let who = match self.together {
                    Together::Phase => all,
                    _ => format!("{}<br>{all}", name(tasks.first().map_or("", |task| short(task.subagent())))),
                };
                let states: Option<Vec<_>> = tasks.iter().map(|task| task.outcome).collect();
                match states {
                    Some(states) => format!("{who}<br>{}", wording::outcomes(states)),
                    None => who,
                }
            }
        }
    }
}

/// Returns the style of a look: fill and text are both given, so that it reads alike on light and dark ground. The light
/// text has a contrast of at least 4.5 to 1 on each of the dark fills, even where a dark theme dims it to `#cccccc`.
fn style(look: Look) -> &'static str {
    match look {
        Look::Passed => "fill:#116329,stroke:#0d4f20,color:#ffffff",
        Look::Planned => "fill:#0550ae,stroke:#033d8b,color:#ffffff",
        Look::NotRun => "fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:4 3",
        Look::Cancelled => "fill:#424a53,stroke:#24292f,color:#ffffff",
        Look::Blocked => "fill:#6639ba,stroke:#512a97,color:#ffffff",
        Look::TimedOut => "fill:#633c01,stroke:#4d2d00,color:#ffffff",
        Look::Failed => "fill:#a40e26,stroke:#82071e,color:#ffffff",
    }
}

#[cfg(test)]
mod tests {
    use super::{escaping::plain, *};
    use crate::summary::{
        fixture,
        graph::{MAX_EDGES, MAX_NODES},
    };

    #[test]
    fn a_run_is_drawn_with_its_states_and_gates() {
        insta::assert_snapshot!(run_graph(&fixture::incomplete()), @r#"
        flowchart LR
          subgraph w1["Wave 1: foundation"]
          direction TB
            t0["datatypes<br>passed<br>datatypes"]:::passed
          end
          subgraph w2["Wave 2: core"]
          direction TB
            t1["feature<br>failed<br>feature-implementer"]:::failed
            t2["cli<br>blocked<br>cli-implementer"]:::blocked
            t3["jobs<br>conflict<br>feature-implementer"]:::failed
          end
          subgraph w3["Wave 3: quality"]
          direction TB
            t4["tests<br>timed out<br>unit-test-generator"]:::timedout
          end
          subgraph w4["Wave 4: quality"]
          direction TB
            t5["review<br>not run<br>code-quality-reviewer"]:::notrun
          end
          subgraph w5["Wave 5: quality"]
          direction TB
            t6["validation<br>not run<br>validation-agent"]:::notrun
          end
          subgraph gates["Gates"]
          direction TB
            g0["tests: failed"]:::failed
            g1["review: not run"]:::notrun
            g2["validation: failed"]:::failed
            g0 ~~~ g1 ~~~ g2
          end
          w1 -.-> w2
          w2 -.-> w3
          w3 -.-> w4
          w4 -.-> w5
          w5 -.-> gates
          t4 --> t5
          classDef passed fill:#116329,stroke:#0d4f20,color:#ffffff
          classDef notrun fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:4 3
          classDef blocked fill:#6639ba,stroke:#512a97,color:#ffffff
          classDef timedout fill:#633c01,stroke:#4d2d00,color:#ffffff
          classDef failed fill:#a40e26,stroke:#82071e,color:#ffffff
        "#);
    }

    #[test]
    fn a_preview_has_no_states() {
        insta::assert_snapshot!(schedule_graph(&fixture::minimal().schedule), @r#"
        flowchart LR
          subgraph w1["Wave 1: core"]
          direction TB
            t0["feature<br>feature-implementer"]:::planned
          end
          subgraph w2["Wave 2: quality"]
          direction TB
            t1["tests<br>unit-test-generator"]:::planned
          end
          subgraph w3["Wave 3: quality"]
          direction TB
            t2["review<br>code-quality-reviewer"]:::planned
          end
          subgraph w4["Wave 4: quality"]
          direction TB
            t3["validation<br>validation-agent"]:::planned
          end
          w1 -.-> w2
          w2 -.-> w3
          w3 -.-> w4
          classDef planned fill:#0550ae,stroke:#033d8b,color:#ffffff
        "#);
    }

    #[test]
    fn the_timeline_has_a_bar_for_each_attempt() {
        insta::assert_snapshot!(timeline(&fixture::complete()).unwrap(), @"
        gantt
          title Waves, rework and gates: time since the run began
          dateFormat YYYY-MM-DD HH:mm:ss.SSS
          axisFormat %M:%S
          section 1 foundation
          • infrastructure (passed) :done, 2000-01-01 00:00:01.000, 2000-01-01 00:00:41.250
          • datatypes (passed) :done, 2000-01-01 00:00:01.000, 2000-01-01 00:00:28.250
          section 2 core
          • feature attempt 1 (blocked) :active, 2000-01-01 00:00:42.000, 2000-01-01 00:01:10.250
          section 3 core
          • cli (passed) :done, 2000-01-01 00:02:22.000, 2000-01-01 00:02:51.250
          section 4 quality
          • tests (passed) :done, 2000-01-01 00:02:52.000, 2000-01-01 00:04:11.250
          section 5 quality
          • review (passed) :done, 2000-01-01 00:04:12.000, 2000-01-01 00:05:00.250
          section 6 quality
          • validation (passed) :done, 2000-01-01 00:05:01.000, 2000-01-01 00:05:44.250
          section 7 readiness
          • deployment (passed) :done, 2000-01-01 00:05:45.000, 2000-01-01 00:06:20.250
          section rework
          • feature attempt 2 (passed) :done, 2000-01-01 00:01:15.000, 2000-01-01 00:02:20.250
          section gates
          tests (passed) :done, 2000-01-01 00:11:54.600, 2000-01-01 00:11:58.800
          validation (passed) :done, 2000-01-01 00:11:58.800, 2000-01-01 00:12:03.000
        ");
    }

    #[test]
    fn nothing_run_is_no_timeline() {
        let mut handoff = fixture::complete();
        handoff.tasks.iter_mut().for_each(|task| task.attempts.clear());
        assert_eq!(timeline(&handoff), None);
    }

    #[test]
    fn pictures_of_the_largest_plan_stay_readable_and_within_mermaids_limits() {
        for in_one_wave in [true, false] {
            let handoff = fixture::large(in_one_wave);
            for picture in [run_graph(&handoff), schedule_graph(&handoff.schedule), timeline(&handoff).unwrap()] {
                let nodes = picture.matches("[\"").count();
                let edges = picture.matches("->").count();
                assert!(picture.chars().count() <= MAX_CHARS, "{}", picture.len());
                assert!(nodes <= 2 * MAX_NODES && edges <= MAX_EDGES, "{nodes} nodes, {edges} edges");
            }
            assert!(run_graph(&handoff).contains("32 passed"), "tasks are counted, not dropped");
        }
    }

    #[test]
    fn the_longest_names_are_drawn_together_until_they_fit() {
        let mut handoff = fixture::large(false);
        for (n, task) in handoff.schedule.tasks.iter_mut().enumerate() {
            task.subagent = crate::ids::SubagentName::new(format!("{n}{}", "#".repeat(60))).unwrap();
        }
        let picture = run_graph(&handoff);
        assert!(picture.chars().count() <= MAX_CHARS);
        assert_eq!(picture.matches("64 tasks").count(), 2, "foundation and core: {picture}");
    }

    #[test]
    fn a_shut_gate_is_never_drawn_as_passed() {
        let mut handoff = fixture::complete();
        handoff.gates[0].tree = handoff.result.base_tree.clone();
        assert!(run_graph(&handoff).contains("tests: not accepted\"]:::failed"));
    }

    #[test]
    fn keywords_and_marks_become_entities() {
        assert_eq!(escape("end"), "#101;nd");
        assert_eq!(escape("a\"]\n%% `x` #1;"), "a#34;#93; #37;#37; #96;x#96; #35;1#59;");
        assert_eq!(escape("backend-datatypes v1.2."), "backend-datatypes v1.2#46;");
        assert_eq!(plain("section: a;b"), "• section_ a_b");
    }

    proptest::proptest! {
        #[test]
        fn escaped_text_is_letters_blanks_marks_and_entities(text in "\\PC{0,40}|[ -~\n\t]{0,40}") {
            let mut rest = escape(&text);
            while let Some(start) = rest.find('#') {
                let end = start + rest[start..].find(';').unwrap();
                proptest::prop_assert!(rest[start + 1..end].bytes().all(|b| b.is_ascii_digit()));
                rest.replace_range(start..=end, "");
            }
            proptest::prop_assert!(rest.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.')), "{}", rest);
        }
    }
}
