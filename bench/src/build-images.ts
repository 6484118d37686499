/**
 * Builds the images of the benchmark's guests: dist/images/NAME.json, each an `Image`.
 *
 * They are built from what the compiler made, not from its sources: only the compiler turns the ABI's
 * constants into the numbers they are, and a measured loop must not look them up.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildImage } from "@capos/image";
import { benchImageFile, GUESTS } from "./images.js";

mkdirSync(new URL("./images/", import.meta.url), { recursive: true });
await Promise.all(
  GUESTS.map(async (name) => {
    const file = fileURLToPath(new URL(`./guests/${name}.js`, import.meta.url));
    const image = await buildImage(file, { name: `bench-${name}` });
    writeFileSync(benchImageFile(name), JSON.stringify(image));
  }),
);
