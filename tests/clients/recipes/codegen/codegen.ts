import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: [
    { [`${process.env.MILLPOND}/schema.graphql`]: { headers: { authorization: `Bearer ${process.env.MILLPOND_TOKEN}` } } },
  ],
  documents: ["pool.ts"],
  generates: {
    "generated/": {
      preset: "client",
      config: {
        strictScalars: true,
        useTypeImports: true,
        // Decimal is text: an amount of money keeps its digits.
        scalars: { Date: "string", DateTime: "string", Decimal: "string", JSON: "unknown", Number: "number | string" },
      },
    },
  },
};
export default config;
