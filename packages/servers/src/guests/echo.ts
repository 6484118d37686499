/**
 * The echo server: answers what it was asked. For examples, first tests and latency.
 */
import type { Sys } from "@capos/abi";
import { Echo } from "@capos/libos";
import { given } from "./service/given.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const { endpoint } = given(sys, "echo");
  yield* Echo.serve(sys, endpoint, {
    ping: ({ value }) => ({ value }),
    say: () => {},
  });
  return 0;
}
