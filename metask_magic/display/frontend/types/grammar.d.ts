// highlight.js ships types for its core alone; without this, tsc would check its grammars as if they were ours.
declare const grammar: import("highlight.js").LanguageFn;
export default grammar;
