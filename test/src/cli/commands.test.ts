/** The command line itself: its commands by name, and what it says of words that are none. */
import t from "tap";
import { caposSmp } from "../support/cli-process.js";

t.test(
  "a word that is no command is told with the nearest there is, in one line and with status 2",
  async (t) => {
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [["benhc"], "command: there is no benhc; did you mean bench? capos-smp help names all"],
      [
        ["--cores", "2", "strss", "all"],
        "command: there is no strss; did you mean stress? capos-smp help names all",
      ],
      [["frobnicate"], "command: there is no frobnicate; capos-smp help names them"],
      [["\u001b[2Jx"], "command: there is no \\x1b[2Jx; capos-smp help names them"],
      [["package.json"], "package.json is no command; run a guest with capos-smp run package.json"],
    ];
    for (const [args, line] of wrong)
      t.match(
        await caposSmp(args),
        { status: 2, stdout: "", stderr: `capos-smp: ${line}\n` },
        args.join(" "),
      );
  },
);

t.test("help shows the commands, and help with a command what --help shows of it", async (t) => {
  const all = await caposSmp(["help"]);
  t.equal(all.status, 0, all.stderr);
  const names = [
    ...[
      "bench",
      "run",
      "up",
      "graph",
      "stress",
      "check",
      "new",
      "inspect",
      "shell",
      "top",
      "trace",
      "report",
    ],
  ];
  for (const name of names) {
    t.match(all.stdout, new RegExp(`^ {2}${name} `, "m"));
    const [help, flag] = await Promise.all([caposSmp(["help", name]), caposSmp([name, "--help"])]);
    t.equal(help.status, 0, name);
    t.equal(help.stdout, flag.stdout, name);
  }
});
