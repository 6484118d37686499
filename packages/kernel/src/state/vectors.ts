/**
 * Interrupt vectors of the kernel. The class (bits 4 to 7) is the priority: devices below the timer.
 */
export const enum Vector {
  /** First of the serial devices' vectors. */
  PORT = 0x40,
  /** A core has got power: HOTPLUG_VECTOR of the machine. */
  HOTPLUG = 0xd0,
  /** The chipset's alarm: ALARM_VECTOR of the machine. */
  ALARM = 0xd8,
  TIMER = 0xe0,
  SPURIOUS = 0xff,
}
