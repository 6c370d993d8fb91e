// Downloads and unpacks artifacts as GitHub's own `download-artifact` does: five at a time, each checked against its
// hash. Prints how many there were, and the most memory that this process had, in bytes.
//
// node gather.mjs LIST FOLDER
import { readFileSync } from "node:fs";
import { join } from "node:path";

import artifact from "@actions/artifact";

const AT_ONCE = 5;

const [list, folder] = process.argv.slice(2);
const wanted = JSON.parse(readFileSync(list, "utf8"));
const findBy = { token: "token", workflowRunId: 1, repositoryOwner: "bench", repositoryName: "bench" };
for (let at = 0; at < wanted.length; at += AT_ONCE) {
  const some = wanted.slice(at, at + AT_ONCE).map(async ({ id, digest }) => {
    const options = { path: join(folder, `slot-${id}`), expectedHash: digest, findBy };
    const { digestMismatch } = await artifact.downloadArtifact(id, options);
    if (digestMismatch) {
      throw new Error(`the artifact ${id} is another one`);
    }
  });
  await Promise.all(some);
}
const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
console.log(JSON.stringify({ gathered: wanted.length, peak: Number(peak) * 1024 }));
