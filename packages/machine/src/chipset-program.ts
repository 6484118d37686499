/** The program of the chipset, bundled into the one file that its worker loads: see build-core.ts. */
import "@capos/hal/chipset";
