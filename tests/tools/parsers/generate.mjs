// generate.mjs yaml|dotenv|hjson SEED COUNT DIRECTORY: files that are nearly what people write, and some that are not.
import fs from 'node:fs';

const [kind, seed, count, directory] = process.argv.slice(2);
let state = Number(seed) >>> 0;

function random(n) { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
}
const pick = (list) => list[random(list.length)];
const chance = (percent) => random(100) < percent;
const times = (n, f) => Array.from({ length: n }, (_, i) => f(i));

// ---- YAML ----

const scalars = ['5432', '0', '-0', '007', '0o17', '0x1F', '0b101', '1_000', '_1', '1_', '1e3', '1e400', '-1.5e-7', '.5', '5.',
  '12345678901234567890', '0.1', '123456789.123456789', '1e21', '1e-7', '.inf', '-.INF', '.NaN', '+12', '+', '1.2.3', '0xZZ', 'true',
  'True', 'TRUE', 'tRue', 'yes', 'no', 'on', 'off', 'null', 'Null', '~', '', 'y', '2001-12-14', '2001-12-14t21:59:43.10-05:00', '12:30:45',
  'localhost', '127.0.0.1', '::1', '/var/run/postgresql', 'pa ss', 'p#ss', 'p #ss', 'a: b', 'a:b', 'ab:', "it's", '"x', '@at', '`tick', '%pct',
  '!bang', '&amp', '*star', '- dash', '-dash', '? q', '?q', '{brace', 'br}ace', '[br', 'br]', 'a, b', '|', '>', '<<', '=', 'ü', '日本語', '😀',
  '\\n', 'a\\tb', '$HOME', '${X}', 'https://example.org/?a=b&c=#d', '1 000', '0.0', '-', '---', '...', 'a\ttab', '.', '..', '1.', '-.5', '0_0', '0b', '0o8'];
const doubleQuoted = () => JSON.stringify(pick(scalars)) ;
const escapes = ['\\n', '\\t', '\\x41', '\\u00e9', '\\U0001F600', '\\/', '\\_', '\\e', '\\"', '\\\\', '\\ ', '\\N', '\\L', '\\P', '\\0', '\\a', '\\q'];
const quoted = () => pick([
  () => `'${pick(scalars).replaceAll("'", "''")}'`,
  doubleQuoted,
  () => `"a${pick(escapes)}b"`,
  () => `'a\n  b'`, () => `"a\n\n   b \\\n  c"`,
])();
const scalar = () => (chance(70) ? pick(scalars) : quoted());
const comment = () => (chance(15) ? pick([' # comment', ' #', '  # a: b', '#no']) : '');
const key = (n) => chance(96) ? pick(['host', 'port', 'db', 'user', 'pass', 'url', 'extra']) + n
  : pick(['"q k"', "'s'", '1', '0x10', 'true', 'null', '~', 'a b', 'ü', '-k', '2001-01-01', '? k', '<<', '""', '[a]', '{a: b}', 'a#b', '__proto__x']) ;
const anchors = [];
let used = 0;

function flow(depth) {
  if (depth <= 0 || chance(50)) return chance(80) ? pick(scalars.filter((s) => !/[,[\]{}#:]|^[-?!&*|>%@`"']/.test(s) && s !== '')) : quoted();
  const items = times(random(4), (i) => flow(depth - 1));
  const space = () => pick(['', ' ', '', '\n      ']);
  if (chance(50)) return `[${items.map((i) => space() + i).join(',')}${chance(10) ? ',' : ''}${space()}]`;
  return `{${items.map((v, i) => `${space()}${chance(95) ? `k${i}` : pick(['"q"', 'k0'])}: ${v}`).join(',')}${space()}}`;
}

function block(depth, indent) {
  const pad = ' '.repeat(indent);
  const lines = [];
  const n = 1 + random(4);
  for (let i = 0; i < n; i++) {
    const name = chance(95) ? key(i) : key(0);
    const kind = random(depth > 0 ? 12 : 5);
    if (chance(10)) lines.push(pick(['', pad + '# comment', '#c', '   ']));
    if (kind < 5) lines.push(`${pad}${name}: ${scalar()}${comment()}`);
    else if (kind === 5) lines.push(`${pad}${name}: ${flow(2)}${comment()}`);
    else if (kind === 6) lines.push(`${pad}${name}:${comment()}`, block(depth - 1, indent + 2));
    else if (kind === 7) lines.push(`${pad}${name}:`, ...times(1 + random(3), () => `${pad}${pick(['', '  '])}- ${chance(60) ? scalar() : flow(1)}`));
    else if (kind === 8) lines.push(`${pad}${name}:`, ...times(1 + random(2), () => `${pad}  - ` + block(depth - 1, indent + 4).trimStart()));
    else if (kind === 9) {
      const anchor = `a${used++}`;
      lines.push(`${pad}${name}: &${anchor}`, block(depth - 1, indent + 2));
      anchors.push(anchor);
    } else if (kind === 10 && anchors.length) {
      const alias = pick(anchors);
      lines.push(chance(50) ? `${pad}${name}: *${alias}` : `${pad}${name}:\n${pad}  <<: ${chance(70) ? `*${alias}` : `[*${alias}, *${pick(anchors)}]`}\n${pad}  host0: own`);
    } else lines.push(`${pad}${name}: ${pick(['|', '>', '|-', '>-', '|+', '>+', '|2'])}${comment()}`, ...times(1 + random(3), () => pad + pick(['  ', '  ', '    ']) + pick(['text', 'more text', '# no comment', 'a: b', ''])));
  }
  return lines.join('\n');
}

function yaml() {
  anchors.length = 0;
  let text = block(3, 0) + '\n';
  if (chance(5)) text = '---\n' + text;
  if (chance(3)) text += '...\n';
  if (chance(3)) text += '---\na: b\n';
  if (chance(5)) text = text.replaceAll('\n', '\r\n');
  if (chance(2)) text = '\ufeff' + text;
  if (chance(3)) text = text.replace(/ /, '\t');
  return text;
}

// ---- dotenv ----

// Only what all versions of dotenv since 2.4 read alike when `tame`; else what the newest one's grammar allows.
const tame = process.env.TAME === '1';
const name = () => pick(['A', 'B', 'DB_HOST', 'DB_PASS', 'x1', 'a.b', 'EXPORT', 'export', '_']);
const bare = ['value', '5432', 'a b c', 'tr ail  ', 'p=q', '=', 'a"b', "a'b", '$A', '${A}', '${B}x', '$', '$$', '${', '${}', '$A$B', '$a-b', '\\$A', 'ü日本',
  'https://u:p@h/d?x=y', 'a,b', '!x', '`tick`', '~', '*', '$(', '(a)', 'a;b', 'x\\'];
const wild = ['\\n', 'a\\nb', '\\a', '"open', "'open", '"a" "b"', "'a' x", "'a'b'", '"a\\"b"', "'a\\'b'", '"a\\nb"', '"a\\tb"', '"\\\\n"', '"a\nb"', "'a\n\nb'", '"a\n# b"',
  "\n'next'", '\n\n"next"', '""', "''", '"', "'", "'a'\"b\"", '"a\\$A"', '"$A\n$B"', '\t\'tab\'', '\v x', '"x\\"', "'x\\'", '\\\\', 'a\\#b', '"a" # \'c', '"\\r"', '\\$(x', "a\\'b"];
const inside = ['value', 'a b', ' a ', 'p#ss', "it's", '$A', '${A}', '\\$A', '', 'ü', '#', '=', 'a\\\\b', '\\\\', 'say \\"x\\"'];
function value() {
  if (!tame && chance(40)) return pick(wild);
  if (chance(50)) return pick(bare);
  return chance(50) ? `"${pick(inside.filter((s) => !tame || !/"|\\$/.test(s)))}"` : `'${pick(inside.filter((s) => !/['\\]/.test(s)))}'`;
}
function assignment() {
  const tail = chance(15) ? pick([' # comment', ' #', ' # it is', '   ']) : '';
  const separator = chance(80) ? '=' : tame ? pick([' = ', '= ', ': ']) : pick([' = ', '= ', ' =', ': ', ':', ':\t', '=\t', '\n=', ' : ']);
  return (chance(10) ? '  ' : '') + (chance(15) ? pick(['export ', 'export  ']) : '') + name() + separator + value() + tail;
}
function dotenv() {
  const lines = times(1 + random(8), () => {
    if (chance(80)) return assignment();
    return pick(['', '# comment', '  # comment=1', 'A=', 'B =', 'no assignment', tame ? '' : 'export A', 'a b=c', '   ', tame ? '' : '# A="', tame ? '' : "# it's"]);
  });
  let text = lines.join('\n') + (chance(90) ? '\n' : '');
  if (chance(8)) text = text.replaceAll('\n', '\r\n');
  if (chance(3)) text = '\ufeff' + text;
  return text;
}

// ---- HJSON ----

const hjsonText = ['text', 'a b', 'p#ss', 'a, b', '5432', '0.5', '-1', '1e3', '007', 'true', 'false', 'null', 'truely', 'http://x/', 'it\'s', '5 # five', 'true // yes', 'a # b', 'ü', '12 a', '1,'];
const hjsonKey = () => pick(['host', 'port', 'user', 'a-b', '"q k"', "'s'", 'ü']);
function hjsonValue(depth, indent) {
  const pad = ' '.repeat(indent);
  if (chance(1)) return `'''\n${pad}one\n${pad}  two\n${pad}'''`;
  if (depth <= 0 || chance(60)) return pick([() => pick(hjsonText), () => JSON.stringify(pick(hjsonText)), () => `'${pick(hjsonText).replaceAll("'", "\\'")}'`])();
  if (chance(30)) return `[${times(random(4), () => pick(['\n' + pad, '\n' + pad + '# c\n' + pad]) + hjsonValue(depth - 1, indent + 2)).join(pick(['', ',']))}\n${pad}]`;
  return `{\n${hjsonMembers(depth - 1, indent + 2)}\n${pad}}`;
}
function hjsonMembers(depth, indent) {
  const pad = ' '.repeat(indent), used = new Set();
  return times(1 + random(4), () => {
    let k = hjsonKey();
    while (used.has(k.replaceAll(/["']/g, ''))) k = `k${used.size}`;
    used.add(k.replaceAll(/["']/g, ''));
    return pad + pick(['', '# comment\n' + pad, '// c\n' + pad, '/* c\n c */ ']) + k + pick([': ', ':', ' : ', ':\n' + pad]) + hjsonValue(depth, indent);
  }).join('\n');
}
function hjson() {
  const members = hjsonMembers(3, 2);
  return chance(80) ? `{\n${members}\n}\n` : `${members}\n`;
}

const make = { yaml, dotenv, hjson }[kind];
for (let i = 0; i < Number(count); i++) fs.writeFileSync(`${directory}/${String(i).padStart(6, '0')}.${kind}`, make());
