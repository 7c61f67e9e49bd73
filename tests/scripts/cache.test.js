// @ts-check
// What the viewer has fetched is kept within a bound.

import assert from "node:assert/strict";
import test from "node:test";

import { cache } from "../../static/js/logic/cache.js";

/** A source that counts how often it is asked; what it gives is as many bytes as its key has letters. */
function source() {
  /** @type {string[]} */
  const asked = [];
  return { asked, give: (/** @type {string} */ key) => async () => (asked.push(key), key) };
}

/** @param {string} text */
const size = (text) => text.length;

test("what is kept is not fetched again, not even while it is on its way", async () => {
  const { asked, give } = source();
  const get = cache(100, size);
  assert.deepEqual(await Promise.all([get("a", give("a")), get("a", give("a"))]), ["a", "a"]);
  assert.equal(await get("a", give("a")), "a");
  assert.deepEqual(asked, ["a"]);
});

test("past the bound the least recently used is forgotten first", async () => {
  const { asked, give } = source();
  const get = cache(9, size);
  for (const key of ["first", "next", "first", "late"]) await get(key, give(key));
  assert.deepEqual(asked, ["first", "next", "late"]);
  await get("first", give("first"));
  assert.deepEqual(asked, ["first", "next", "late"], "it was used after the next");
  await get("next", give("next"));
  assert.deepEqual(asked, ["first", "next", "late", "next"]);
});

test("what is larger than the bound alone is kept until something else comes", async () => {
  const { asked, give } = source();
  const get = cache(3, size);
  await get("large", give("large"));
  await get("large", give("large"));
  assert.deepEqual(asked, ["large"]);
  await get("b", give("b"));
  await get("large", give("large"));
  assert.deepEqual(asked, ["large", "b", "large"]);
});

test("a failure reaches whoever asked, and is not kept", async () => {
  const get = cache(100, size);
  await assert.rejects(get("a", () => Promise.reject(new Error("no network"))), /no network/);
  assert.equal(await get("a", async () => "here"), "here");
});
