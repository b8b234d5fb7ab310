// `make grafana-types`: holds the dashboards against the types that Grafana publishes of its own JSON. Every key, every
// value of an enumeration, and options and fields by kind of panel.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [packages, folder] = process.argv.slice(2);
const raw = "./node_modules/@grafana/schema/dist/types/raw";
const kinds = ["timeseries", "stat", "table", "heatmap", "bargauge", "logs", "state-timeline"];
const withFields = ["timeseries", "table", "heatmap", "state-timeline"];
const name = (kind) => kind.replace("-", "");

const types = `
import type * as d from "${raw}/dashboard/x/types.gen";
${kinds.map((kind) => `import type * as ${name(kind)} from "${raw}/composable/${name(kind)}/panelcfg/x/types.gen";`).join("\n")}
// JSON has the values of enumerations, not their names.
type Json<T> =
  T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends number ? (number extends T ? number : \`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends (infer U)[] ? Json<U>[]
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : T;
type Fields<C> = { defaults: Omit<Json<d.FieldConfig>, "custom"> & { custom?: Json<C> }; overrides: Json<d.FieldConfigSource>["overrides"] };
type Panel<O, C> = Omit<Json<d.Panel>, "options" | "fieldConfig"> & { options: Json<O>; fieldConfig: Fields<C> };
// What every data source but Grafana's own has, and the types have not: "TODO: this should just be a normal query target".
type Annotation = Omit<Json<d.AnnotationQuery>, "target"> & { target: { expr: string; refId: string; interval: string }; titleFormat: string; textFormat: string };
type Board = Omit<Json<d.Dashboard>, "panels" | "annotations"> & { panels: []; annotations: { list: Annotation[] } };
`;

const lines = [];
const add = (type, value) => lines.push(`export const _${lines.length}: ${type} = ${JSON.stringify(value)};`);
for (const file of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
  const board = JSON.parse(readFileSync(join(folder, file), "utf8"));
  add("Board", { ...board, panels: [] });
  for (const panel of board.panels) {
    if (panel.type === "row") add("Json<d.RowPanel>", panel);
    else if (!kinds.includes(panel.type)) throw new Error(`${file}: ${panel.title}: unknown kind ${panel.type}`);
    else add(`Panel<${name(panel.type)}.Options, ${withFields.includes(panel.type) ? `${name(panel.type)}.FieldConfig` : "never"}>`, panel);
  }
}
writeFileSync(join(packages, "dashboards.ts"), types + lines.join("\n"));
const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
try {
  execFileSync("node", ["node_modules/typescript/bin/tsc", ...options, "dashboards.ts"], { cwd: packages, stdio: "inherit" });
} catch {
  process.exit(1);
}
console.log(`${lines.length} dashboards, rows and panels are as Grafana's types want them`);
