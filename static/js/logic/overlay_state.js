// @ts-check
// What is laid over the scan: which method of which model, hidden or not, outlined or not, as a cover or as heat.

/**
 * @typedef {Object} Overlay  one explanation, as cases/viewer.py sends it
 * @property {string} id
 * @property {string} model
 * @property {string} version
 * @property {string} answer
 * @property {string} method
 * @property {string} key
 * @property {string} classLabel
 * @property {string} unit
 * @property {boolean} signed
 * @property {number[]} frames  indices of the frames it covers
 * @property {string} address
 * @property {string} pieces  where its superpixels are; "" for a method without
 * @property {string} segments  the hash of what they were stored as
 * @property {boolean} reliable
 * @property {string} trust
 */

export class OverlayState {
  /** @type {Overlay[]} */ known = [];
  isHidden = false;
  isMasked = false; // only what the method marks is shown of the picture

  /** @param {{model?: string, method?: string, isOutlined?: boolean}} before what was chosen last */
  constructor({ model = "", method = "", isOutlined = false } = {}) {
    this.model = model;
    this.method = method;
    this.isOutlined = isOutlined;
  }

  /** @returns {Overlay | undefined} what is chosen, if the answer has it */
  get chosen() {
    return this.known.find((overlay) => overlay.model === this.model && overlay.key === this.method);
  }

  /** @returns {string[]} */
  get models() {
    return [...new Set(this.known.map((overlay) => overlay.model))];
  }

  /** @returns {Overlay[]} those of the chosen model */
  get offered() {
    return this.known.filter((overlay) => overlay.model === this.model);
  }

  /** @param {string | undefined} id */
  find(id) {
    return this.known.find((overlay) => overlay.id === id);
  }

  /** @param {Overlay[]} known what the server says there is now: a model that has gone is not chosen any more */
  take(known) {
    this.known = known;
    const [first] = this.models;
    if (first !== undefined && !this.models.includes(this.model)) this.model = first;
  }

  /** @param {string} model @param {string} method "" for none; the picture is whole again */
  choose(model, method) {
    Object.assign(this, { model, method, isMasked: false });
  }

  /** @param {number} frame @returns {number} which row of its maps lies on this frame; -1 where nothing is to be seen */
  row(frame) {
    return this.isHidden ? -1 : (this.chosen?.frames.indexOf(frame) ?? -1);
  }

  /** @param {number} frame @returns {string} a name for what lies on this frame; "" for nothing */
  shownOn(frame) {
    const row = this.row(frame);
    return row < 0 ? "" : `${this.chosen?.id}:${row}`;
  }

  /** @param {number} frame @returns {number} this one, or the middle of those that the method has read */
  nearest(frame) {
    const frames = this.chosen?.frames ?? [];
    return !frames.length || frames.includes(frame) ? frame : frames[Math.floor(frames.length / 2)];
  }

  /** @param {number} frame the picture itself, where the method says nothing of it */
  uncover(frame) {
    if (!this.isHidden && this.row(frame) < 0) this.isMasked = false;
  }

  mask() {
    this.isMasked = !this.isMasked && this.chosen !== undefined;
  }

  outline() {
    this.isOutlined = !this.isOutlined;
  }
}

/** What the chosen overlay is compared with: right of a split, or beside it. */
export class Comparison {
  /** @type {Overlay[]} */ known = [];
  id = ""; // of the other overlay; "" for none
  isBeside = false;
  #before = ""; // the other one until the two stood side by side
  #traded = ""; // what the shown one has taken the place of

  /** @returns {Overlay | undefined} */
  get chosen() {
    return this.known.find(({ id }) => id === this.id);
  }

  /** @param {Overlay[]} known @returns {boolean} whether nothing is left to stand beside */
  take(known) {
    const wasBeside = this.isBeside;
    this.known = known;
    this.choose(this.id);
    return wasBeside && !this.isBeside;
  }

  /** @param {string} id "" for none: nothing stands beside nothing */
  choose(id) {
    this.id = this.known.some((overlay) => overlay.id === id) ? id : "";
    this.isBeside &&= this.chosen !== undefined;
  }

  /** Side by side, or not any more. @param {Overlay | undefined} shown */
  standBeside(shown) {
    if (this.isBeside) {
      this.isBeside = false;
      this.choose(this.#before);
      return;
    }
    this.#before = this.id;
    this.id ||= (this.known.find((overlay) => overlay !== shown) ?? this.known[0])?.id ?? "";
    this.isBeside = this.chosen !== undefined;
  }

  /**
   * @param {Overlay | undefined} shown
   * @returns {Overlay | undefined} what to show instead; from then on it is compared with what it takes the place of
   */
  trade(shown) {
    const others = this.known.filter((overlay) => overlay !== shown);
    const other = others.find(({ id }) => id === (this.id || this.#traded)) ?? others[0];
    if (!shown || !other) return undefined;
    this.#traded = shown.id;
    if (this.id) this.id = shown.id;
    return other;
  }
}
