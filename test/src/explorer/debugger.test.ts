/** A replay under a debugger. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { replayFile, writeReplayFile } from "@capos/explorer/campaign";
import t from "tap";
import { fingerprintOfToys, toyCatalogue } from "./support/toy-scenarios.js";

t.test("a debugger stops at the first step, and stepping in leads to the program under test", async (t) => {
  const file = `${t.testdir()}/failure.json`;
  const subject = { scenario: "counting", mutant: "split-addition" } as const;
  writeReplayFile(file, {
    ...{ ...subject, fingerprint: fingerprintOfToys(subject.mutant), choices: "000111000111" },
    finding: { kind: "assertion", message: "1 of 2 additions count" },
  });
  const worker = new Worker(new URL("./support/debugger-session.js", import.meta.url));
  t.teardown(() => worker.terminate());
  t.same(await once(worker, "message"), ["attached"]);
  const said = once(worker, "message");
  const { counterExample } = await replayFile({ catalogue: toyCatalogue(), file, beforeRun() {} });
  t.equal(counterExample?.finding.message, "1 of 2 additions count");
  const [stops] = (await said) as [string[]];
  t.equal(stops.at(-1), "atomic", `the toy's own function: ${stops.join(" ")}`);
});
