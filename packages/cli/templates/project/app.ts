/** The application: two programs on two cores; calls one, is called by the other, and takes back what was given. */
import { boot } from "capos";
import { Counter, Owner } from "./guests/protocols.js";

const machine = await boot({ cores: 2, memoryMiB: 64 });
machine.spawn("guests/counter.ts", { cores: [1] });
const counter = machine.client(Counter, "counter");

await machine.serve(
  Owner,
  {
    async counted({ value }) {
      console.log(`the client says ${value}, the server ${(await counter.total()).value}`);
      await counter.takeBack();
    },
  },
  { name: "application" },
);

const { fault } = await machine.run("guests/client.ts", { args: ["3", "application"], cores: [0] });
console.log(`the client ended: ${fault}`);
await machine.halt();
