// @ts-check
// The three planes of a volume: which cut each shows where one point of the volume lies, and that point in each.

/** @typedef {import("./zoom.js").Point} Point */
/** @typedef {"frames" | "rows" | "columns"} Across  what the pictures of a plane are numbered by */
/** @typedef {{frames: number, rows: number, columns: number}} Voxel  a place in the volume: indices from 0; or how many there are */

/** A cut shows the last frame on top, as the server sends it. */

/** @param {Across} across @param {Voxel} voxel @returns {number} the picture of the plane that it lies in */
export function numberOf(across, voxel) {
  return Math.round(voxel[across]);
}

/** @param {Across} across @param {Voxel} voxel @param {Voxel} counts of the volume @returns {Point} where it lies in that picture */
export function pointOf(across, voxel, counts) {
  if (across === "frames") return [voxel.rows, voxel.columns];
  return [counts.frames - 1 - voxel.frames, across === "rows" ? voxel.columns : voxel.rows];
}

/**
 * @param {Across} across @param {number} number of the picture @param {Point} point in it @param {Voxel} counts
 * @returns {Voxel} what lies there
 */
export function voxelAt(across, number, [row, column], counts) {
  if (across === "frames") return within({ frames: number, rows: row, columns: column }, counts);
  const frames = counts.frames - 1 - row;
  return within(across === "rows" ? { frames, rows: number, columns: column } : { frames, rows: column, columns: number }, counts);
}

/** @param {Voxel} voxel @param {Across} across @param {number} steps @param {Voxel} counts @returns {Voxel} the same place so many pictures on */
export function stepped(voxel, across, steps, counts) {
  return within({ ...voxel, [across]: voxel[across] + steps }, counts);
}

/** @param {Voxel} voxel @param {Voxel} counts @returns {Voxel} whole, and inside the volume */
function within({ frames, rows, columns }, counts) {
  /** @param {number} value @param {number} count */
  const kept = (value, count) => Math.max(0, Math.min(count - 1, Math.round(value)));
  return { frames: kept(frames, counts.frames), rows: kept(rows, counts.rows), columns: kept(columns, counts.columns) };
}
