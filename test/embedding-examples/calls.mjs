/** An application that calls a guest, and is called by one. */
import { boot, IpcError, readableOf, writableOf } from "capos";
import { Prices, Store } from "./store-protocol.mjs";

const file = (name) => new URL(name, import.meta.url).pathname;

const machine = await boot({ cores: 2, memoryMiB: 64 });
machine.spawn(file("store.mjs"));

// It is waited for until the guest has registered its name.
const store = machine.client(Store, "store", { registeredMs: 60_000 });
await store.put({ key: "apple", value: "red" });
console.log(await store.get({ key: "apple" }));
try {
  await store.get({ key: "pear" }, { timeoutMs: 60_000 });
} catch (error) {
  if (error instanceof IpcError) console.log(error.message);
}

const writer = writableOf((piece) => store.append(piece)).getWriter();
await writer.write(new TextEncoder().encode("bytes in bulk ".repeat(100)));
await writer.close();
let length = 0;
for await (const piece of readableOf(() => store.next())) length += piece.length;
console.log(`${length} bytes came back`);

const serving = await machine.serve(
  Prices,
  { of: ({ item }) => ({ price: `${item.length} coins` }) },
  { name: "prices" },
);
await machine.run(file("buyer.mjs"), { args: ["apple"] });
serving.close();
const { fault } = await machine.run(file("buyer.mjs"), { args: ["apple"] });
console.log(fault.replace(/^.*?: /, ""));
await machine.halt();
