/** Images as their holders see them: `handed` has that of the fixture `other`. */
import { Err, handleIndex, Method, makeHandle, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, endProcess, type Os, type Steps, spawnProcess, start, thread } from "@capos/libos";
import { revoke } from "./support/authority.js";
import {
  childEnded,
  ended,
  GuestTests,
  invoke,
  perform,
  type Role,
  same,
  spawnChild,
} from "./support/kit.js";

const OTHER_STATUS = 42;

/** Starts a process of an image on a core and gives the status that it ends with. */
function* statusOf(os: Os, image: number, core = os.core): Steps<number> {
  const child = yield* spawnProcess(os, { image, name: "other", core, threads: 1 });
  const { status } = yield* childEnded(os, child);
  yield* endProcess(os, child);
  return status;
}

/** What configuring a new process with a handle answers. */
function* configured(os: Os, image: number): Steps<number> {
  const child = yield* os.make(ObjectType.PROCESS);
  const space = yield* os.make(ObjectType.CNODE, 2);
  const answer = yield* invoke(os.sys, child, Method.PROCESS_CONFIGURE, space, image, 0, 0);
  for (const handle of [child, space]) yield* os.drop(handle);
  return answer;
}

const roles: Record<string, Role> = {
  /** Runs the image that comes in a message, if one does. */
  *runner(os) {
    const window = os.slots.take();
    os.sys.receiveInto(window, 1);
    yield os.sys.recv(os.handed[0]);
    return os.sys.arrived() === 1 ? yield* statusOf(os, os.sys.capability(0)) : 1;
  },
  /** Looks for an image in all of its CSpace but its own; the number of those it can run. */
  *searcher(os) {
    let found = 0;
    for (let index = 1; index < 128; index++) {
      const { type, handle } = yield* cnode.inspect(os.sys, os.environment.cnode, index);
      if (type === ObjectType.IMAGE && handle !== os.environment.image) found++;
    }
    for (let number = 0; number < 300; number++) {
      for (const handle of [number, makeHandle(number, 0), makeHandle(number, 1)])
        if ((yield* configured(os, handle)) !== Err.BAD_CAP) found++;
    }
    return found;
  },
};

export const tests = new GuestTests();

tests.add("who holds an image runs it, on every core", function* (os) {
  for (let core = 0; core < os.cores; core++)
    same(yield* statusOf(os, os.handed[0], core), OTHER_STATUS, `on core ${core}`);
});

tests.add("a process cannot name an image that it was not given", function* (os) {
  const child = yield* spawnChild(os, "searcher", []);
  same((yield* childEnded(os, child)).status, 0, "images found");
});

tests.add("a process that is given an image in a message runs it", function* (os) {
  const endpoint = yield* os.endpoint();
  const child = yield* spawnChild(os, "runner", [endpoint]);
  same(yield os.sys.send(endpoint, 0, os.handed[0]), 0, "send");
  same((yield* childEnded(os, child)).status, OTHER_STATUS, "the runner");
});

tests.add("an image without the right to execute cannot be run, one with nothing else can", function* (os) {
  const [image] = os.handed as [number];
  same(yield* configured(os, yield* os.copy(image, Right.ALL & ~Right.EXECUTE)), Err.DENIED, "without");
  same(yield* statusOf(os, yield* os.copy(image, Right.EXECUTE)), OTHER_STATUS, "with that alone");
});

tests.add("what is no image cannot be run", function* (os) {
  const { environment } = os;
  const handles = [environment.cnode, environment.process, environment.thread, environment.untyped];
  for (const handle of [...handles, yield* os.endpoint(), yield* os.notification()])
    same(yield* configured(os, handle), Err.BAD_TYPE, `handle ${handleIndex(handle)}`);
});

tests.add("an image can be neither made from memory nor invoked", function* (os) {
  const { sys, environment } = os;
  const slot = os.slots.take();
  for (const type of [ObjectType.IMAGE, ObjectType.IMAGE_CONTROL])
    same(
      yield* invoke(sys, environment.untyped, Method.UNTYPED_RETYPE, type, 0, 1, environment.cnode, slot),
      Err.BAD_TYPE,
      `retype to ${type}`,
    );
  same(yield* invoke(sys, os.handed[0], Method.IMAGE_CONTROL_TAKE, 0, 0, 0), Err.BAD_TYPE, "invoke");
});

tests.add("a revoked image cannot be run, and what runs it goes on and starts threads", function* (os) {
  const [image] = os.handed as [number];
  const bell = yield* os.notification();
  const lent = yield* os.copy(image, Right.ALL);
  const gifts = [{ handle: bell }];
  const child = yield* spawnProcess(os, {
    image: yield* os.copy(lent, Right.ALL),
    name: "other",
    args: ["wait"],
    gifts,
  });
  const taken = yield* os.copy(lent, Right.ALL);
  yield* revoke(os, lent);
  same(yield* configured(os, taken), Err.BAD_CAP, "the revoked one");
  same(yield* configured(os, lent), 0, "the one that it was derived from");
  const late = yield* os.make(ObjectType.THREAD);
  yield* thread.configure(os.sys, late, child.process, os.core, 60);
  yield* thread.start(os.sys, late, [17]);
  same(yield* ended(os, { handle: late }), [17], "a thread that starts later");
  yield* endProcess(os, child);
});

tests.add("a process runs its image to the end when every capability to it outside is gone", function* (os) {
  const bell = yield* os.notification();
  const image = yield* os.copy(os.handed[0], Right.ALL);
  const child = yield* spawnProcess(os, {
    image,
    name: "other",
    args: ["wait"],
    gifts: [{ handle: bell }],
  });
  yield* os.drop(image);
  same(yield os.sys.notify(bell), 0, "notify");
  same((yield* childEnded(os, child)).status, OTHER_STATUS, "its status");
  yield* endProcess(os, child);
});

export default function* main(sys: Sys): Steps<number> {
  return yield* perform(start(sys), tests, roles);
}
