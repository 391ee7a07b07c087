// Looks at a page as it stands. Returns a list of what is wrong with it, in words.
(() => {
  const problems = [];
  const say = (text) => { if (problems.length < 25) problems.push(text); };
  const name = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class') || ''} "${(e.textContent || '').trim().slice(0, 40)}"`;
  const isShown = (e) => {
    const r = e.getBoundingClientRect();
    return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden' && (!e.checkVisibility || e.checkVisibility());
  };
  const isForEarsOnly = (e) => e.closest('.hidden, caption, .skip, svg title, svg desc');

  // Width.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest('.scroll, .menu ul, .skip, svg'));
    say(`the page is ${document.documentElement.scrollWidth} wide in ${width}: ${wide.slice(0, 3).map(name).join(', ')}`);
  }
  for (const e of document.querySelectorAll('.figures > div, .figures dt, .figures dd, .panel-head, .panel h2, .legend, .panel-foot, .title, .note, button, .periods, .filters')) {
    if (isShown(e) && e.scrollWidth > e.clientWidth + 1) say(`${name(e)} overflows its box: ${e.scrollWidth} in ${e.clientWidth}`);
  }

  // Pictures: no words over words, none outside.
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
  for (const svg of document.querySelectorAll('svg.picture')) {
    if (!isShown(svg)) continue;
    const card = svg.closest('.panel').getBoundingClientRect();
    const words = [...svg.querySelectorAll('text')].map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }));
    if (words.length < 3) say(`the picture of ${svg.closest('.panel').id} has only ${words.length} labels`);
    words.forEach((w, i) => {
      if (w.box.left < card.left || w.box.right > card.right) say(`the label "${w.text}" of ${svg.closest('.panel').id} is outside of its card`);
      for (const v of words.slice(i + 1)) if (overlap(w.box, v.box)) say(`the labels "${w.text}" and "${v.text}" of ${svg.closest('.panel').id} overlap`);
      const size = w.box.height;
      if (size < 10) say(`the label "${w.text}" of ${svg.closest('.panel').id} is ${size.toFixed(1)} pixels high`);
    });
    if (svg.getAttribute('role') !== 'img' || !svg.querySelector(':scope > title') || !svg.querySelector(':scope > desc')) say(`the picture of ${svg.closest('.panel').id} has no role, title and description`);
    if (!svg.querySelector('.bar, .line, .dot')) say(`the picture of ${svg.closest('.panel').id} shows nothing`);
    if (!svg.closest('.panel').querySelector('details table')) say(`the picture of ${svg.closest('.panel').id} has no table behind it`);
  }
  const cards = [...document.querySelectorAll('.panel')];
  cards.forEach((a, i) => cards.slice(i + 1).forEach((b) => { if (overlap(a.getBoundingClientRect(), b.getBoundingClientRect())) say(`${a.id} and ${b.id} overlap`); }));

  // Contrast.
  const channels = (color) => {
    const numbers = color.match(/-?[\d.]+/g).map(Number);
    if (color.startsWith('color(srgb')) return [...numbers.slice(0, 3).map((n) => n * 255), numbers[3] ?? 1];
    return [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1];
  };
  const luminance = ([r, g, b]) => {
    const part = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c[3] > 0.99) return c;
      if (c[3] > 0.01) say(`${name(e)} has a ground that can be seen through`);
    }
    return [255, 255, 255, 1];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || isForEarsOnly(e) || !isShown(e) || e.tagName === 'OPTION') continue;
    const style = getComputedStyle(e);
    const color = channels(e.closest('svg') ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const got = ratio(color, ground(e));
    if (got < needed) say(`the contrast of ${name(e)} is ${got.toFixed(2)}, and ${needed} is needed`);
    if (size < 11.5) say(`${name(e)} is written in ${size} pixels`);
  }
  for (const e of document.querySelectorAll('.bar, .dot, .line')) {
    if (!isShown(e)) continue;
    const style = getComputedStyle(e);
    const got = ratio(channels(e.classList.contains('line') ? style.stroke : style.fill), ground(e.closest('.panel')));
    if (got < 3) say(`a mark of class ${e.getAttribute('class')} has a contrast of ${got.toFixed(2)}, and 3 is needed`);
  }

  // Nothing that could run, and nothing from elsewhere.
  if (document.querySelector('script, iframe, object, embed, base')) say('the page has an element that could run something');
  for (const e of document.querySelectorAll('*')) {
    for (const a of e.attributes) {
      if (a.name.startsWith('on') || a.name === 'style') say(`${name(e)} has the attribute ${a.name}`);
      if ((a.name === 'href' || a.name === 'src' || a.name === 'action') && !/^(https?:|\/|#|\?)/.test(a.value)) say(`${name(e)} leads to ${a.value.slice(0, 40)}`);
    }
  }
  for (const e of document.querySelectorAll('img, link, use, image')) {
    const to = e.src || e.href;
    if (typeof to === 'string' && to && !to.startsWith(location.origin + '/')) say(`${name(e)} is loaded from ${to}`);
  }

  // Landmarks, names, ids.
  if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('h1').length !== 1) say('the page has not one main part and one first heading');
  if (!document.documentElement.lang || !document.title) say('the page has no language or no title');
  for (const e of document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')) {
    if (!(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length))) say(`${name(e)} has no name`);
  }
  for (const e of document.querySelectorAll('table')) if (!e.caption || !e.querySelector('th[scope]')) say('a table has no caption or no headings');
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => say(`the id ${id} is there twice`));
  for (const e of document.querySelectorAll('.panel')) {
    if (e.querySelector('.error')) say(`${e.id} shows an error: ${e.querySelector('.error').textContent}`);
    if (e.id && !/n [\d,]+/.test([...e.querySelectorAll('.coverage, dd.n')].map((c) => c.textContent).join(' '))) say(`${e.id} does not say of how many it is`);
    if (e.querySelector('.panel-foot') && !e.querySelector('a[href^="/csv/"]')) say(`${e.id} has no CSV`);
  }
  return problems;
})();
