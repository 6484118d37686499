import { defineScenario } from "capos";

export default defineScenario({
  name: "mailbox",
  holds: "Both letters arrive, in turn.",
  program: "./mailbox.mjs",
  cores: ["sender", "receiver"],
  words: 2,
  names: { full: 0, letter: 1 },
  atEnd: ({ results }) => (results[1] === "7,8" ? null : `${results[1]} arrived`),
  mutants: [
    {
      name: "empty-quietly",
      breaks: "Who empties the mailbox wakes the sender.",
      edits: [{ function: "receiver", find: "Atomics.notify(i32, FULL);", replace: "" }],
    },
  ],
});
