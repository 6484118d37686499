/**
 * One call of a built-in ends soon, or V8 can end it, whatever is large in its receiver or arguments. What neither ends nor lets its
 * thread be ended takes its core along, and the machine. This is a selection: `npm run calls` tries all.
 */
import t from "tap";
import { tryCalls } from "./calls/campaign.js";

/** Those that were found before come first in every walk. */
const TRIED = 400;

t.test("every call of a built-in ends soon, or can be ended, and the process lives on", async (t) => {
  let reached = 0;
  const broken = await tryCalls(
    { seed: 1, from: 0, end: TRIED },
    {
      onReached(position) {
        reached = position;
      },
    },
  );
  t.strictSame(broken, []);
  t.ok(reached >= TRIED, `${reached} of ${TRIED} calls were tried`);
});
