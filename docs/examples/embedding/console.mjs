/** An application that gives a program its input, and takes its output. */
import { boot } from "capos";

const machine = await boot({ cores: 2, memoryMiB: 64 });
const sorter = new URL("sorter.mjs", import.meta.url).pathname;
const program = machine.spawn(sorter, { console: "own" });
const input = program.console.writable.getWriter();
await input.write("pear\napple\n");
await input.close();
for await (const line of program.console.readable) console.log(line);
await machine.halt();
