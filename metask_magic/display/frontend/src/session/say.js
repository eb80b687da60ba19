/**
 * Words in the language of the kernel, which translates them (`metask_magic/display/page_words.py`); English where it has
 * sent none. They are asked for by their English: `say("Stop")`; what stands before a `|` says what is meant.
 *
 * @typedef {(sentence: string, values?: Record<string, string>) => string} Say
 */

/** @param {Record<string, string>} [words] From the kernel. @returns {Say} */
export function speaker(words = {}) {
  return (sentence, values = {}) =>
    (words[sentence] ?? sentence.replace(/^\w+\|/, "")).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const sayEnglish = speaker();
