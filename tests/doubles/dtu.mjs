// Starts an artifact service v4 by others, and says where it is. It ends with its standard input.
import { startEphemeralDtu } from "dtu-github-actions/ephemeral";

const dtu = await startEphemeralDtu(process.argv[2]);
// Its log has taken over the console.
process.stdout.write(`listening on ${dtu.url}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
