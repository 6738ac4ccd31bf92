// Validates a Turtle document against SHACL shapes:
//   node validate.mjs shapes.ttl data.ttl
// Prints one line of JSON: how many statements were read and each violation.
import { createReadStream } from 'node:fs';
import { Store, StreamParser } from 'n3';
import Validator from 'rdf-validate-shacl';

const read = (file) =>
  new Promise((resolve, reject) => {
    const store = new Store();
    createReadStream(file)
      .on('error', reject)
      .pipe(new StreamParser())
      .on('data', (quad) => store.addQuad(quad))
      .on('error', reject)
      .on('end', () => resolve(store));
  });

const [shapes, data] = await Promise.all(process.argv.slice(2, 4).map(read));
const report = await new Validator(shapes, { maxErrors: 100 }).validate(data);
const violations = report.results.map((r) => ({
  node: r.focusNode?.value,
  path: r.path?.value,
  rule: r.sourceConstraintComponent?.value,
  value: r.value?.value,
}));
console.log(JSON.stringify({ statements: data.size, conforms: report.conforms, violations }));
