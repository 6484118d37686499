/**
 * Builds the image of the suite's guest: dist/stress/images/stress.json.
 *
 * From what the compiler made, not from its sources: only the compiler turns the ABI's constants into
 * the numbers they are.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildImage } from "@capos/image";
import { STRESS_IMAGE } from "./images.js";

mkdirSync(new URL("./images/", import.meta.url), { recursive: true });
const file = fileURLToPath(new URL("./guests/stress.js", import.meta.url));
writeFileSync(STRESS_IMAGE, JSON.stringify(await buildImage(file, { name: "stress" })));
