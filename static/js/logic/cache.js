// @ts-check
// What was fetched and may be asked for again: bounded in bytes, the least recently used forgotten first.

/**
 * @template T
 * @param {number} most bytes together; the newest is kept even where it is larger alone
 * @param {(value: T) => number} size in bytes
 * @returns {(key: string, fetch: () => Promise<T>) => Promise<T>} what is kept, or fetched now; a failure is not kept
 */
export function cache(most, size) {
  /** @type {Map<string, {promise: Promise<T>, bytes: number}>} the least recently used first; no bytes until it has come */
  const kept = new Map();
  let held = 0;

  /** @param {string} newest */
  function makeRoom(newest) {
    for (const [key, { bytes }] of kept) {
      if (held <= most) return;
      if (key === newest || !bytes) continue;
      kept.delete(key);
      held -= bytes;
    }
  }

  return (key, fetch) => {
    const entry = kept.get(key) ?? { promise: fetch(), bytes: 0 };
    const isNew = !kept.delete(key);
    kept.set(key, entry);
    if (isNew) {
      entry.promise.then(
        (value) => {
          entry.bytes = Math.max(1, size(value));
          held += entry.bytes;
          makeRoom(key);
        },
        () => kept.delete(key),
      );
    }
    return entry.promise;
  };
}
