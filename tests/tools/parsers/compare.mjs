// compare.mjs PERCENT OURS THEIRS FILE...: lines of app-settings against those of the library. Equal, or refused by kura
// while the library reads it (PERCENT of the files may be), or refused by both; anything else fails. KURA_MAY_READ: what
// the library refuses may be read by PERCENT of them, too.
import fs from 'node:fs';

const [mayRefuse, oursFile, theirsFile, ...files] = process.argv.slice(2);
const lines = (file) => fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const ours = lines(oursFile), theirs = lines(theirsFile);
const tally = { equal: 0, 'refused by both': 0, 'refused by kura': 0, 'read by kura': 0, different: 0 };
const reasons = new Map();
const sorted = (settings) => JSON.stringify(Object.entries(settings).sort());
if (ours.length !== files.length || theirs.length !== files.length) throw new Error(`${files.length} files, ${ours.length} and ${theirs.length} lines`);
files.forEach((file, i) => {
  const a = ours[i], b = theirs[i];
  let verdict = 'different';
  if (a.error && b.error) verdict = 'refused by both';
  else if (a.error) {
    verdict = 'refused by kura';
    const why = a.error.replace(/^.*?:\d+: /, '');
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  } else if (b.error && process.env.KURA_MAY_READ) verdict = 'read by kura';
  else if (b.settings && sorted(a.settings) === sorted(b.settings)) verdict = 'equal';
  tally[verdict]++;
  if (verdict === 'different' && tally.different <= 5)
    console.log(`${file}:\n${fs.readFileSync(file, 'utf8')}\n  kura: ${JSON.stringify(a)}\n  library: ${JSON.stringify(b)}`);
});
console.log(JSON.stringify(tally));
for (const [why, n] of [...reasons].sort((x, y) => y[1] - x[1])) console.log(`  ${n} refused by kura alone: ${why}`);
const share = (100 * Math.max(tally['refused by kura'], tally['read by kura'])) / files.length;
process.exit(tally.different > 0 || tally.equal === 0 || share > Number(mayRefuse) ? 1 : 0);
