/** Has `Date` tell a time that is `offsetMs()` ahead of the machine's, for all code of this thread. */
export function moveDate(offsetMs: () => number): void {
  const machineNow = Date.now
  const now = () => machineNow() + offsetMs()
  Date.now = now
  // Only "now" is moved: dates that are read, computed or compared are what they are.
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: (target) => new target(now()).toString(),
  })
  Date.prototype.constructor = Date
}
