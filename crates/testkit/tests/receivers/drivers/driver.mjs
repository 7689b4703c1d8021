// Puts each case of a folder to the receiver kit's verify.mjs and prints what it says, a line each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [kit, folder] = process.argv.slice(2);
const { isStandardSignatureOurs, isPlainSignatureOurs } = await import(pathToFileURL(kit));

for (const line of readFileSync(join(folder, 'cases.tsv'), 'utf8').split('\n').filter(Boolean)) {
  const [way, now, secretList, headersFile, bodyFile] = line.split('\t');
  const secrets = secretList.split(',');
  const headers = new Map(
    readFileSync(join(folder, headersFile), 'utf8').split('\n').filter(Boolean).map((each) => each.split(/: (.*)/)),
  );
  const header = (name) => headers.get(name);
  const body = readFileSync(join(folder, bodyFile));
  const isOurs =
    way === 'standard'
      ? isStandardSignatureOurs(secrets, header, body, Number(now))
      : isPlainSignatureOurs(secrets, header, body);
  console.log(isOurs ? 'yes' : 'no');
}
