// node look.mjs PAGES [SHOTS]: opens every *.html of the directory PAGES in Chromium, on a phone, a larger one and a
// desktop, in light and dark, and writes a line for each thing that was looked at: "ok NAME" or "not ok NAME: why".
// With a directory SHOTS it leaves screenshots there. Its modules are those of $KURA_BROWSER_MODULES. axe, which is slow,
// looks at two of the six by default, and at each where KURA_LOOK_ALL is set.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${resolve(process.env.KURA_BROWSER_MODULES)}/`);
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [directory, shots] = process.argv.slice(2);
const widths = [320, 390, 1280];
const schemes = ['light', 'dark'];
const patience = 300000; // milliseconds

function tell(name, problems) {
    const why = problems.map((text) => String(text).replace(/\s+/g, ' ').slice(0, 600));
    console.log(problems.length === 0 ? `ok ${name}` : `not ok ${name}: ${why.join(' | ')}`);
}

/* What is wider than the page, by name, so that a failure tells where to look. */
async function overflow(page) {
    return page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= room) return [];
        const wide = [...document.querySelectorAll('body *')].filter(
            (element) => element.getBoundingClientRect().right > room + 0.5 && !element.closest('.scroll, pre'));
        return [`scrolls to ${document.documentElement.scrollWidth} of ${room}: ${wide.slice(0, 5).map(
            (element) => `${element.tagName}.${element.getAttribute('class')}`).join(', ')}`];
    });
}

/* The document must be what the program meant: no element or attribute that a text brought with it. */
async function intruders(page) {
    return page.evaluate(() => [
        ...[...document.querySelectorAll('script, iframe, img, object, embed, base, form, input, a')].map(
            (element) => `<${element.tagName}>`),
        ...[...document.querySelectorAll('*')].flatMap((element) => [...element.attributes]
            .filter((attribute) => attribute.name.startsWith('on')).map((attribute) => attribute.name)),
    ]);
}

async function violations(page) {
    await page.evaluate(axe);
    const { violations: found } = await page.evaluate(() => axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    return found.map((rule) => `${rule.id} (${rule.nodes.length}): ${rule.nodes[0].target} ${rule.nodes[0].failureSummary}`);
}

async function look(browser, name, url) {
    const page = await browser.newPage();
    page.setDefaultTimeout(patience);
    const noise = [], requests = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    page.on('requestfailed', (request) => noise.push(`${request.url()} ${request.failure().errorText}`));
    page.on('request', (request) => {
        if (request.url() !== url && !request.url().startsWith('data:')) requests.push(request.url());
    });
    for (const width of widths) {
        for (const scheme of schemes) {
            const what = `${name}, ${width} px, ${scheme}`;
            await page.setViewport({ width, height: width < 600 ? 720 : 900, isMobile: width < 600, hasTouch: width < 600 });
            await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
            await page.goto(url, { waitUntil: 'load' });
            tell(`${what}: nothing scrolls sideways`, await overflow(page));
            if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true, captureBeyondViewport: false });
            await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
            tell(`${what}: unfolded, nothing scrolls sideways`, await overflow(page));
            if (process.env.KURA_LOOK_ALL || `${width} ${scheme}` === '320 light' || `${width} ${scheme}` === '1280 dark') tell(`${what}: axe finds nothing`, await violations(page));
        }
    }
    tell(`${name}: the markup is the program's`, await intruders(page));
    tell(`${name}: nothing on the console`, noise);
    tell(`${name}: nothing is requested`, requests);
    const pdf = await page.pdf({ format: 'A4' });
    tell(`${name}: it prints`, pdf.length > 10000 && Buffer.from(pdf.subarray(0, 5)).toString() === '%PDF-' ? [] : ['no PDF']);
    await page.close();
}

const browser = await puppeteer.launch({
    executablePath: process.env.KURA_BROWSER ?? '/usr/bin/chromium',
    timeout: patience,
    protocolTimeout: patience,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
try {
    const pages = readdirSync(directory).filter((file) => file.endsWith('.html')).sort();
    if (pages.length === 0) throw new Error(`there is no page in ${directory}`);
    for (const file of pages) await look(browser, file.replace(/\.html$/, ''), pathToFileURL(resolve(directory, file)).href);
    console.log(`done ${pages.length}`);
} finally {
    await browser.close();
}
