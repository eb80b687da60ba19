/** Names that come from elsewhere (a server's model names, notes), made fit to stand in our own lines. */

/** Escape sequences of terminals, whole. */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;

/** Control characters, and those that turn the direction of text around or take no room. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

const MAX_LENGTH = 200;

/** @param {string} name */
export function cleanName(name) {
  return name.replace(ANSI, "").replace(/[\r\n\t]+/g, " ").replace(CONTROLS, "").trim().slice(0, MAX_LENGTH);
}

/** @param {string} note May have several lines. */
export function cleanNote(note) {
  return note.replace(ANSI, "").split(/\r?\n/).map((line) => line.replace(/\t/g, " ").replace(CONTROLS, "")).join("\n").trim();
}
