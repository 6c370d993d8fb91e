//! Sizes that are ordinary: many tasks, many waves. What they cost is measured by the benchmark, not here.

use implementer_model::handoff::Status;
use serde_json::json;

use crate::support::Bench;

#[test]
fn a_plan_of_many_tasks_is_integrated_whole() {
    let bench = Bench::new();
    let mut plan = "# Many\n".to_owned();
    let mut script = serde_json::Map::new();
    for number in 1..=24 {
        plan += &format!("\n## Feature {{#part-{number}}}\nTouches: src/part{number}/**\n- part {number}\n");
        let path = format!("src/part{number}/x.py");
        script.insert(format!("part-{number}"), json!({ "write": { path: format!("x = {number}\n") } }));
    }
    plan += "\n## Verification\n- tests: `python3 -m unittest`\n- validation: `git --version`\n";
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("plan");
    bench.script(&script.into());
    let ran = bench.run(["--jobs", "4"]).expect(0);
    let handoff = ran.handoff();
    assert_eq!(handoff.status, Status::Complete);
    assert_eq!(handoff.result.commits.len(), 24);
    assert_eq!(handoff.schedule.concurrency, 4);
    bench.call(["verify", ran.out.to_str().unwrap()]).expect(0);
}
