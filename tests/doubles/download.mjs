// Downloads an artifact with GitHub's own client, which checks its hash: download.mjs ID FOLDER HASH
import artifact from "@actions/artifact";

const [id, path, expectedHash] = process.argv.slice(2);
const { downloadPath, digestMismatch } = await artifact.downloadArtifact(Number(id), { path, expectedHash });
console.log(JSON.stringify({ downloadPath, digestMismatch: digestMismatch ?? false }));
