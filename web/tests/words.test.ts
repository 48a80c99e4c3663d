// @vitest-environment node
/**
 * Every text that a person reads stands in a catalogue, in `src/words/`, so that none is left in one language alone.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const SOURCES = new URL('../src', import.meta.url).pathname;
/** What is the same in every language: products, keys as browsers call them, and names such as `AbortError`, `Retry-After`. */
const NAMES = [
  /^(?:Edge|Opera|Samsung Internet|Firefox|Chrome|Safari|Android|Windows|Linux|Mozilla\/|Vestibule)$/,
  /^(?:Enter|Escape|Tab|Home|End|Delete|Backspace|Control\+Z)$/,
  /^\p{Lu}\p{Ll}+(?:-?\p{Lu}\p{L}*)+$/u,
];
/** What browsers and screen readers speak or show. */
const SPOKEN = /^(?:aria-(?:label|description|placeholder|roledescription|valuetext)|alt|title|placeholder|label)$/;

/** The texts for people in a source: what stands between tags, what is spoken, and what begins like a sentence. */
function textsIn(source: string): string[] {
  const texts: string[] = [];
  const look = (node: ts.Node) => {
    // What is typed into a terminal is no language's, and what a programmer reads is English.
    if (ts.isJsxElement(node) && node.openingElement.tagName.getText() === 'code') return;
    if (ts.isThrowStatement(node) || ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    const text = textOf(node);
    if (text !== null) texts.push(text);
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile('source.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return texts;
}

function textOf(node: ts.Node): string | null {
  if (ts.isJsxText(node)) return /\p{L}/u.test(node.text) ? node.text.trim() : null;
  const isLiteral =
    ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
  if (!isLiteral || NAMES.some((name) => name.test(node.text))) return null;
  const attribute = ts.findAncestor(node, ts.isJsxAttribute)?.name.getText() ?? '';
  const isSpoken = SPOKEN.test(attribute) && /\p{L}/u.test(node.text);
  const isSentence = /^\s*\p{Lu}\p{Ll}|\p{Ll}[.!?…]$/u.test(node.text);
  return isSpoken || isSentence ? node.text : null;
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('words/'))
  .sort();

test.each(files)('%s has no text of its own', (name) => {
  expect(textsIn(readFileSync(join(SOURCES, name), 'utf8'))).toEqual([]);
});

test.each([
  ['<p>hello</p>', ['hello']],
  ['<p>{here} and there</p>', ['and there']],
  ['<img alt="a door" />', ['a door']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: As below.
  ['<button aria-label={open ? "close" : `open ${name}`} />', ['close', 'open ']],
  ['<Field missing="Enter a name." />', ['Enter a name.']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: The source of a template is what is looked at.
  ['const sentence = `${name} is gone.`', [' is gone.']],
  ['const title = "Log in"', ['Log in']],
])('in %s a text would be seen', (source, texts) => {
  expect(textsIn(source)).toEqual(texts);
});
