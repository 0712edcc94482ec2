// Usage: node suggest.mjs ADDRESS PROTO_ROOT SNAPSHOT_JSON
// Prints the answer's essentials as one JSON line. Nothing of our own is used but the protocol files.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const [address, protoRoot, snapshotPath] = process.argv.slice(2);
const definition = protoLoader.loadSync("qdispatch/v1/dispatch_service.proto", {
  includeDirs: [protoRoot],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
});
const { DispatchService } = grpc.loadPackageDefinition(definition).qdispatch.v1;

// proto-loader wants Timestamp and Duration as {seconds, nanos}; the file is in protobuf's JSON form.
const convert = (value) => {
  if (Array.isArray(value)) return value.map(convert);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, convert(inner)]));
  if (typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value))
    return { seconds: Math.floor(Date.parse(value) / 1000), nanos: 0 };
  if (typeof value === "string" && /^\d+s$/.test(value)) return { seconds: Number(value.slice(0, -1)), nanos: 0 };
  return value;
};

const snapshot = convert(JSON.parse(readFileSync(snapshotPath, "utf8")));
const client = new DispatchService(address, grpc.credentials.createInsecure());
const deadline = new Date(Date.now() + 20_000);
client.Suggest({ request_id: "node-1", company_id: "company-1", snapshot }, { deadline }, (error, answer) => {
  if (error) {
    console.error(`${error.code} ${error.details}`);
    process.exit(1);
  }
  const { source, model_version } = answer.provenance;
  const picks = answer.picks.map(({ booking_id, driver_id, position }) => [booking_id, driver_id, position]);
  console.log(JSON.stringify({ request_id: answer.request_id, source, model_version, picks, bookings: answer.bookings.length }));
  client.close();
});
