// One process, written in one of the many ways in which CWL lets it be written: maps or lists, inline or in files or packed, JSON or YAML.

/** Texts of documents by path; `main.cwl` is the one to run. */
export function spell(r, process) {
  const documents = {};
  const graph = r.chance(0.25) ? [] : undefined;
  const separate = (inner, name) => {
    const spelt = spellProcess(r, inner, separate);
    if (graph !== undefined && r.chance(0.7)) {
      graph.push({ ...spelt, id: name });
      return `#${name}`;
    }
    if (graph === undefined && r.chance(0.4)) {
      const path = `${name}.cwl`;
      documents[path] = text(r, { cwlVersion: process.cwlVersion, ...spelt });
      return path;
    }
    return spelt;
  };
  const { cwlVersion, ...main } = spellProcess(r, process, separate);
  documents['main.cwl'] = text(
    r,
    graph === undefined ? { cwlVersion, ...main } : { cwlVersion, $graph: r.shuffle([...graph, { ...main, id: 'main' }]) },
  );
  return documents;
}

function spellProcess(r, process, separate) {
  const spelt = { ...process };
  for (const field of ['inputs', 'outputs']) {
    const type = (parameter) => (typeof parameter === 'string' ? { type: parameter } : parameter);
    if (r.chance(0.4))
      spelt[field] = Object.entries(process[field])
        .map(([id, of]) => ({ id: r.chance(0.2) ? `#${id}` : id, ...type(of) }))
        .map((one) => ({ ...one, id: one.id.replace(/^#/, '') }));
  }
  for (const field of ['requirements', 'hints'])
    if (process[field] !== undefined && r.chance(0.4))
      spelt[field] = Object.entries(process[field]).map(([name, of]) => ({ class: name, ...of }));
  if (process.steps !== undefined) {
    const steps = Object.entries(process.steps).map(([id, step]) => [id, spellStep(r, { ...step, run: separate(step.run, `p-${id}`) })]);
    spelt.steps = r.chance(0.5) ? Object.fromEntries(steps) : steps.map(([id, step]) => ({ id, ...step }));
  }
  return r.chance(0.5) ? spelt : Object.fromEntries(r.shuffle(Object.entries(spelt)));
}

function spellStep(r, step) {
  const long = (link) => (typeof link === 'string' ? { source: link } : link);
  return {
    ...step,
    in: r.chance(0.4) ? Object.entries(step.in).map(([id, link]) => ({ id, ...long(link) })) : step.in,
    out: r.chance(0.3) ? step.out.map((id) => ({ id })) : step.out,
  };
}

function text(r, document) {
  return r.chance(0.5) ? JSON.stringify(document, null, 1) : `${r.chance(0.3) ? '#!/usr/bin/env cwl-runner\n' : ''}${yaml(document, '')}`;
}

/** Block YAML with every text in double quotes: JSON's strings are YAML's. */
function yaml(value, indent) {
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0)
    return ` ${JSON.stringify(value)}\n`.replace(/^ /, '');
  const lines = Array.isArray(value)
    ? value.map((one) => ['-', one])
    : Object.entries(value).map(([key, one]) => [`${/^[\w$]+$/.test(key) ? key : JSON.stringify(key)}:`, one]);
  return lines
    .filter(([, one]) => one !== undefined)
    .map(([lead, one]) =>
      one !== null && typeof one === 'object' && Object.keys(one).length > 0
        ? `${indent}${lead}\n${yaml(one, `${indent}  `)}`
        : `${indent}${lead} ${JSON.stringify(one)}\n`,
    )
    .join('');
}
