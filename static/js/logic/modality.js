// @ts-check
// What a file that was chosen shows, as far as its first bytes say it: DICOM's Modality, NIfTI, a film of ultrasound.

/** @typedef {"ultrasound" | "mri"} Modality */

export const HEAD = 65536; // bytes of a file that are looked at

const PREFIX = 128; // where DICOM says that it is DICOM
/** @type {Record<string, Modality>} */
const OF_DICOM = { US: "ultrasound", IVUS: "ultrasound", MR: "mri" };
/** @type {[RegExp, Modality][]} */
const OF_NAMES = [
  [/\.nii(\.gz)?$/i, "mri"],
  [/\.(mp4|m4v|mov|avi|mpe?g)$/i, "ultrasound"],
];

/** @param {string} name @param {Uint8Array} head its first bytes @returns {Modality | undefined} pictures without a header may be either */
export function shownBy(name, head) {
  const words = String.fromCharCode(...head.subarray(PREFIX, PREFIX + 4));
  if (words === "DICM") return OF_DICOM[modalityOf(head)];
  return OF_NAMES.find(([pattern]) => pattern.test(name))?.[1];
}

/** @param {(Modality | undefined)[]} found of each file @returns {Modality | undefined} what all that say something say */
export function agreed(found) {
  const said = new Set(found.filter((one) => one));
  return said.size === 1 ? [...said][0] : undefined;
}

/** @param {Uint8Array} head @returns {string} Modality (0008,0060): elements begin at even places, in either byte order and with or without its VR; "" for none */
function modalityOf(head) {
  for (let at = PREFIX + 4; at + 12 <= head.length; at += 2) {
    const isLittle = head[at] === 8 && head[at + 1] === 0 && head[at + 2] === 0x60 && head[at + 3] === 0;
    const isBig = head[at] === 0 && head[at + 1] === 8 && head[at + 2] === 0 && head[at + 3] === 0x60;
    if (!isLittle && !isBig) continue;
    const isExplicit = head[at + 4] === 0x43 && head[at + 5] === 0x53; // "CS"
    const size = isExplicit ? head[at + (isLittle ? 6 : 7)] : head[at + (isLittle ? 4 : 7)];
    if (size > 16) continue;
    return String.fromCharCode(...head.subarray(at + 8, at + 8 + size)).trim();
  }
  return "";
}
