'use strict';
(function () {
  const data = JSON.parse(document.getElementById('data').textContent);
  const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info', 'unknown'];
  const rank = Object.fromEntries(SEVERITIES.map((s, i) => [s, i]));
  const PAGE = 150;
  const $ = id => document.getElementById(id);

  // el builds an element; text is always text, never markup.
  function el(name, attrs, ...children) {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (k === 'on') for (const [event, f] of Object.entries(v)) e.addEventListener(event, f);
      else if (v === true) e.setAttribute(k, '');
      else if (v !== undefined && v !== null && v !== false) e.setAttribute(k, v);
    }
    for (const c of children.flat()) if (c !== null && c !== undefined && c !== '') e.append(c);
    return e;
  }
  // prose shows what stands between backticks as code.
  function prose(text) {
    const pieces = text.split('`');
    return pieces.length % 2 ? pieces.map((p, i) => i % 2 ? el('code', {}, p) : p) : [text];
  }
  const svgNS = 'http://www.w3.org/2000/svg';
  function svg(name, attrs) {
    const e = document.createElementNS(svgNS, name);
    for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
    return e;
  }
  const plural = (n, one, many) => n.toLocaleString('en') + ' ' + (n === 1 ? one : many);

  const findings = data.findings;
  findings.forEach((f, i) => {
    f.n = i;
    f.text = [f.id, f.pkg, f.ver, f.title, f.msg, f.where, f.kind, f.fixed, f.object, f.purl, f.exploited ? 'exploited kev' : '', f.new ? 'new' : ''].concat(f.aliases || [], f.places || []).join(' ').toLowerCase();
  });

  const fresh = () => ({ query: '', sev: new Set(), kind: '', status: 'open', group: '', fails: false, fixable: false, file: '', line: 0, layer: 0, sort: 'sev', down: false });
  let state = fresh();
  let shown = [], drawn = 0;
  const opened = new Set();

  function matches(f) {
    if (state.sev.size && !state.sev.has(f.sev)) return false;
    if (state.kind && f.kind !== state.kind) return false;
    if (state.status && f.status !== state.status) return false;
    if (state.fails && !f.fails) return false;
    if (state.fixable && !f.fixable) return false;
    if (state.file && (f.file !== state.file || (state.line && f.line !== state.line))) return false;
    if (state.layer && f.layer !== state.layer) return false;
    return words.every(w => f.text.includes(w));
  }
  let words = [];

  const subject = f => f.pkg ? f.pkg + ' ' + f.ver : f.title;
  const keys = {
    sev: f => rank[f.sev] + (f.fails ? 0 : 10), id: f => f.id, pkg: f => subject(f), where: f => f.where,
    fixed: f => f.fixed || (f.fix ? '\uffff' + f.fix : '\uffff\uffff'),
  };
  const collator = new Intl.Collator('en', { numeric: true });
  const compare = (a, b) => typeof a === 'number' ? a - b : collator.compare(a, b);

  function apply() {
    words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    shown = findings.filter(matches);
    const key = keys[state.sort], sign = state.down ? -1 : 1;
    const decorated = shown.map(f => [key(f), f]);
    decorated.sort((a, b) => sign * compare(a[0], b[0]) || a[1].n - b[1].n);
    shown = decorated.map(d => d[1]);
    if (state.group) shown = grouped(shown, state.group === 'pkg' ? subject : f => f.where);
    $('rows').replaceChildren();
    drawn = 0;
    draw();
    const n = shown.filter(f => !f.group).length;
    let text = n === findings.length ? plural(n, 'finding', 'findings') : plural(n, 'finding', 'findings') + ' of ' + findings.length.toLocaleString('en');
    if (state.file) text += ', in ' + state.file + (state.line ? ' line ' + state.line : '');
    if (state.layer) text += ', from layer ' + state.layer;
    $('count').textContent = text + (n ? '.' : ': nothing fits these filters.');
    syncControls();
  }

  function grouped(list, name) {
    const groups = new Map();
    for (const f of list) {
      const g = name(f);
      if (!groups.has(g)) groups.set(g, []);
      groups.get(g).push(f);
    }
    const out = [];
    for (const [g, items] of groups) out.push({ group: g, items }, ...items);
    return out;
  }

  function draw() {
    const part = shown.slice(drawn, drawn + PAGE);
    drawn += part.length;
    const fragment = document.createDocumentFragment();
    for (const f of part) {
      if (f.group !== undefined) {
        fragment.append(el('tr', { role: 'row', class: 'groupline' }, el('td', { role: 'cell', colspan: 5 }, f.group + ' ', badges(f.items))));
        continue;
      }
      fragment.append(row(f));
      if (opened.has(f.n)) fragment.append(detail(f));
    }
    $('rows').append(fragment);
    $('more').hidden = drawn >= shown.length;
    $('more').textContent = 'Show more (' + (shown.length - drawn).toLocaleString('en') + ' left)';
  }

  function badges(list) {
    const counts = {};
    for (const f of list) counts[f.sev] = (counts[f.sev] || 0) + 1;
    return SEVERITIES.filter(s => counts[s]).map(s => el('span', { class: 'tag' }, el('span', { class: 'sev s-' + s }, counts[s] + ' ' + s)));
  }

  // On narrow screens the table is laid out as blocks, which would take its
  // meaning from it; the roles keep it.
  const cell = (...parts) => el('td', { role: 'cell' }, ...parts);

  function row(f) {
    const button = el('button', { type: 'button', class: 'id', 'aria-expanded': String(opened.has(f.n)), 'data-n': f.n, 'aria-label': f.id + ', details' }, f.id);
    const what = f.pkg ? [f.pkg + ' ', el('span', { class: 'ver' }, f.ver)] : prose(f.title);
    if (f.kind !== 'vulnerability') what.push(el('span', { class: 'tag' }, f.kind));
    if (f.exploited) what.push(el('span', { class: 'tag hot' }, 'exploited'));
    if (f.new) what.push(el('span', { class: 'tag hot' }, 'new'));
    if (f.origin === 'base-image') what.push(el('span', { class: 'tag' }, 'base image'));
    if (f.status !== 'open') what.push(el('span', { class: 'tag' }, f.status));
    const fix = f.fixed ? el('span', { class: 'fixed' }, f.fixed) : el('span', { class: 'nofix' }, f.fix ? f.fix.replace(/-/g, ' ') : '');
    return el('tr', { role: 'row', class: 'item' + (f.status === 'open' ? '' : ' passive') },
      cell(el('span', { class: 'sev s-' + f.sev }, el('span', { class: 'dot s-' + f.sev }), f.sev),
        f.fails ? el('span', { class: 'fails', title: 'breaks the policy' }, '✕', el('span', { class: 'hidden' }, ' breaks the policy')) : null),
      cell(button), cell(what), cell(fix), cell(el('span', { class: 'mono' }, f.where)));
  }

  function detail(f) {
    const list = el('dl', {});
    const add = (name, ...value) => { if (value.some(v => v)) list.append(el('dt', {}, name), el('dd', {}, ...value)); };
    add('Problem', ...prose(f.title));
    add('To do', ...prose(f.fixText || ''));
    add('Status', f.status !== 'open' || f.reason ? f.status + (f.reason ? ': ' + f.reason : '') : '');
    add('Severity', f.sev + (f.source ? ' according to ' + f.source : '') + (f.score ? ', CVSS ' + f.score : ''));
    add('Exploitation', f.risk);
    add('Baseline', f.baseline);
    add('Brought in by', { 'base-image': 'the base image', build: 'this image\'s own build' }[f.origin]);
    add('Object', f.object);
    add('Package URL', f.purl ? el('code', {}, f.purl) : '');
    add('Also known as', (f.aliases || []).join(', '));
    add('Further places', ...(f.places || []).map(p => el('div', { class: 'mono' }, p)));
    for (const [name, value] of f.facts || []) add(name, value);
    add('Links', ...(f.links || []).map(l => el('div', {}, el('a', { href: l, rel: 'noreferrer noopener', target: '_blank' }, l))));
    add('Fingerprint', el('code', {}, f.print));
    return el('tr', { role: 'row', class: 'detail', 'data-detail': f.n }, el('td', { role: 'cell', colspan: 5 }, el('p', {}, prose(f.msg)), list));
  }

  function toggle(button) {
    const n = Number(button.dataset.n), tr = button.closest('tr');
    if (opened.delete(n)) {
      button.setAttribute('aria-expanded', 'false');
      if (tr.nextElementSibling && tr.nextElementSibling.classList.contains('detail')) tr.nextElementSibling.remove();
    } else {
      opened.add(n);
      button.setAttribute('aria-expanded', 'true');
      tr.after(detail(findings[n]));
    }
  }

  // Controls.
  function fill(select, all, values) {
    select.append(el('option', { value: '' }, all));
    for (const v of values) select.append(el('option', { value: v }, v));
  }
  const distinct = name => [...new Set(findings.map(f => f[name]))].sort();
  fill($('kind'), 'all', distinct('kind'));
  fill($('status'), 'all', distinct('status'));
  const openCounts = {};
  for (const f of findings) openCounts[f.sev] = (openCounts[f.sev] || 0) + 1;
  for (const s of SEVERITIES) {
    if (!openCounts[s]) continue;
    $('severities').append(el('button', {
      type: 'button', class: 'chip sev s-' + s, 'aria-pressed': 'false', 'data-sev': s,
      on: { click: () => { if (!state.sev.delete(s)) state.sev.add(s); apply(); } },
    }, el('span', { class: 'dot s-' + s }), s));
  }

  function syncControls() {
    $('query').value = state.query;
    for (const id of ['kind', 'status', 'group']) $(id).value = state[id];
    for (const id of ['fails', 'fixable']) $(id).checked = state[id];
    for (const chip of $('severities').children) chip.setAttribute('aria-pressed', String(!state.sev.size || state.sev.has(chip.dataset.sev)));
    for (const th of document.querySelectorAll('th')) {
      const on = th.firstElementChild.dataset.sort === state.sort;
      th.setAttribute('aria-sort', on ? (state.down ? 'descending' : 'ascending') : 'none');
    }
  }

  let timer = 0;
  $('query').addEventListener('input', e => { clearTimeout(timer); timer = setTimeout(() => { state.query = e.target.value; apply(); }, 80); });
  for (const id of ['kind', 'status', 'group']) $(id).addEventListener('change', e => { state[id] = e.target.value; apply(); });
  for (const id of ['fails', 'fixable']) $(id).addEventListener('change', e => { state[id] = e.target.checked; apply(); });
  $('reset').addEventListener('click', () => { state = fresh(); state.status = hasOpen ? 'open' : ''; apply(); });
  $('more').addEventListener('click', draw);
  for (const b of document.querySelectorAll('[data-sort]')) {
    b.addEventListener('click', () => {
      if (state.sort === b.dataset.sort) state.down = !state.down;
      else { state.sort = b.dataset.sort; state.down = false; }
      apply();
    });
  }
  $('rows').addEventListener('click', e => {
    const button = e.target.closest('.id');
    if (button) toggle(button);
  });
  if ('IntersectionObserver' in window) {
    new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting) && !$('more').hidden) draw(); }, { rootMargin: '600px' }).observe($('more'));
  }

  // Views.
  const tabs = [...document.querySelectorAll('[role=tab]')];
  const made = {};
  function show(tab, focus) {
    for (const t of tabs) {
      const on = t === tab;
      t.setAttribute('aria-selected', String(on));
      t.tabIndex = on ? 0 : -1;
      $(t.getAttribute('aria-controls')).hidden = !on;
    }
    if (focus) tab.focus();
    if (tab.id === 'tab-files' && !made.files) { made.files = true; makeFiles(); }
    if (tab.id === 'tab-layers' && !made.layers) { made.layers = true; makeLayers(); }
  }
  tabs.forEach((t, i) => {
    t.addEventListener('click', () => show(t));
    t.addEventListener('keydown', e => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (step) { e.preventDefault(); show(tabs[(i + step + tabs.length) % tabs.length], true); }
    });
  });
  function open(filter) {
    state = Object.assign(fresh(), filter);
    apply();
    show(tabs[0], true);
    $('findings').scrollIntoView();
  }

  function worst(list) { return SEVERITIES[Math.min(...list.map(f => rank[f.sev]))]; }
  function counts(list) {
    const c = {};
    for (const f of list) c[f.sev] = (c[f.sev] || 0) + 1;
    return SEVERITIES.filter(s => c[s]).map(s => c[s] + ' ' + s).join(', ');
  }
  function by(name) {
    const map = new Map();
    for (const f of findings) {
      if (!f[name] || f.status !== 'open') continue;
      if (!map.has(f[name])) map.set(f[name], []);
      map.get(f[name]).push(f);
    }
    return map;
  }

  function hits(file, line, list) {
    const s = worst(list);
    return el('button', { type: 'button', class: 'hits sev s-' + s, title: list.slice(0, 12).map(f => f.id).join(', '), on: { click: () => open({ file, line }) } }, counts(list));
  }

  function makeFiles() {
    const view = $('view-files'), perFile = by('file');
    if (!perFile.size) { view.append(el('p', { class: 'note' }, 'No open finding has its place in a file of the repository.')); return; }
    const least = list => Math.min(SEVERITIES.length, ...list.map(f => rank[f.sev]));
    const order = data.files.map(s => [s, perFile.get(s.path) || []]).sort((a, b) => least(a[1]) - least(b[1]) || b[1].length - a[1].length);
    for (const [source, list] of order) {
      if (!list.length) continue;
      const lines = new Map();
      for (const f of list) { const l = f.line || 1; if (!lines.has(l)) lines.set(l, []); lines.get(l).push(f); }
      const code = el('div', { class: 'code' });
      const total = source.count;
      let skipped = 0;
      const gap = () => { if (skipped) code.append(el('div', { class: 'codeline' }, el('span', { class: 'no' }, '⋮'), el('span', { class: 'text ver' }, plural(skipped, 'line', 'lines') + ' without findings'))); skipped = 0; };
      const near = n => { for (let d = -3; d <= 3; d++) if (lines.has(n + d)) return true; return false; };
      const numbers = total ? Array.from({ length: total }, (_, i) => i + 1) : [...lines.keys()].sort((a, b) => a - b);
      for (const n of numbers) {
        if (source.lines[n] === undefined && !lines.has(n) || total > 60 && !near(n)) { skipped++; continue; }
        gap();
        const here = lines.get(n);
        code.append(el('div', { class: 'codeline' + (here ? ' hit w-' + worst(here) : '') },
          el('span', { class: 'no' }, String(n)), el('span', { class: 'text' }, source.lines[n] !== undefined ? source.lines[n] : '(source not available)'), here ? hits(source.path, n, here) : el('span', {})));
      }
      gap();
      const name = source.link ? el('a', { href: source.link, rel: 'noreferrer noopener', target: '_blank' }, source.path) : source.path;
      view.append(el('article', { class: 'card file' }, el('h3', {}, name, el('span', { class: 'note' }, counts(list))), code));
    }
  }

  function stack(list, max) {
    const bar = svg('svg', { class: 'stack', viewBox: '0 0 1000 8', preserveAspectRatio: 'none', role: 'img', 'aria-label': counts(list) || 'no findings' });
    bar.append(svg('rect', { class: 'rest', width: 1000, height: 8 }));
    let x = 0;
    for (const s of SEVERITIES) {
      const n = list.filter(f => f.sev === s).length;
      if (!n) continue;
      const width = 1000 * n / max;
      bar.append(svg('rect', { class: 's-' + s, x, width, height: 8 }));
      x += width;
    }
    return bar;
  }

  function makeLayers() {
    const view = $('view-layers'), perLayer = by('layer');
    if (!data.layers.length) { view.append(el('p', { class: 'note' }, 'This run examined no image with layers.')); return; }
    const max = Math.max(1, ...[...perLayer.values()].map(l => l.length));
    const list = el('ol', { class: 'layers card' });
    for (const layer of data.layers) {
      const here = perLayer.get(layer.n) || [];
      list.append(el('li', {},
        el('div', { class: 'head' }, el('strong', {}, 'Layer ' + layer.n), el('code', { title: layer.digest }, layer.digest.slice(0, 19)),
          here.length ? el('button', { type: 'button', class: 'hits sev s-' + worst(here), on: { click: () => open({ layer: layer.n }) } }, counts(here)) : el('span', { class: 'note' }, 'no findings')),
        el('code', { class: 'step' }, layer.step || '(the history does not say how it was made)'), stack(here, max)));
    }
    view.append(list);
    const unplaced = findings.filter(f => !f.layer && f.kind === 'vulnerability' && f.status === 'open').length;
    if (unplaced) view.append(el('p', { class: 'note' }, plural(unplaced, 'vulnerability', 'vulnerabilities') + ' with no known layer: see the list of findings.'));
  }

  // Keys.
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);
    if (e.key === '/' && !typing) { e.preventDefault(); show(tabs[0]); $('query').focus(); return; }
    if (e.key === 'Escape') {
      if (e.target === $('query')) { state.query = ''; apply(); e.target.blur(); return; }
      const at = document.activeElement.closest && document.activeElement.closest('tr');
      const d = at && (at.classList.contains('detail') ? at : at.nextElementSibling);
      if (d && d.classList.contains('detail')) { const b = d.previousElementSibling.querySelector('.id'); toggle(b); b.focus(); }
      return;
    }
    if ((e.key === 'j' || e.key === 'k') && !typing) {
      const all = [...document.querySelectorAll('#rows .id')];
      if (!all.length) return;
      const i = all.indexOf(document.activeElement);
      const next = i < 0 ? 0 : Math.max(0, Math.min(all.length - 1, i + (e.key === 'j' ? 1 : -1)));
      if (next === all.length - 1 && !$('more').hidden) draw();
      all[next].focus();
      all[next].scrollIntoView({ block: 'nearest' });
    }
  });

  // Colours: the system's choice until the reader makes one.
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? 'dark' : 'light')) === 'dark';
  const label = () => { $('theme').textContent = isDark() ? 'Light mode' : 'Dark mode'; };
  try { const kept = localStorage.getItem('portcullis-theme'); if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept; } catch (e) { /* files may have no storage */ }
  $('theme').addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    try { localStorage.setItem('portcullis-theme', document.documentElement.dataset.theme); } catch (e) { /* as above */ }
    label();
  });
  $('theme').hidden = false;
  label();

  const hasOpen = findings.some(f => f.status === 'open');
  if (!hasOpen) state.status = '';
  $('app').hidden = false;
  apply();
  document.documentElement.dataset.ready = 'true';
})();
