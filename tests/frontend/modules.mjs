// The tests stand outside the front end's folder but use the packages installed there.
import { register } from "node:module";

register("./resolve.mjs", import.meta.url);
