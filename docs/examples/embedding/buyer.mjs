/** Asks the application what its argument costs. */
import { start } from "capos/guest";
import { Prices } from "./store-protocol.mjs";

export default function* main(sys) {
  const os = start(sys);
  const prices = Prices.client(sys, yield* os.names.lookup("prices"));
  const { price } = yield* prices.of({ item: os.args[0] });
  yield* os.print(`${os.args[0]} costs ${price}`);
  return 0;
}
