/** Adds up numbers for the program that started it. */
import { type Sys, start } from "capos/guest";
import { Adding } from "./adding.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const [from, to] = os.args.map(Number);
  let value = 0;
  for (let i = from!; i < to!; i++) value += i;
  yield* Adding.client(sys, os.handed[0]!).sum({ value });
  return 0;
}
