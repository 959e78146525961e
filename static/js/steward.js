// Every behaviour of the pages, one file each, found through a data- attribute. collectstatic joins
// them into this file (config/static_bundle.py): each file is therefore complete in itself, imports
// nothing and talks to the others through events on document.
import "./announce.js";
import "./toast.js";
import "./htmx-errors.js";
import "./dialog.js";
import "./copy.js";
import "./theme.js";
import "./autosubmit.js";
import "./relative-time.js";
import "./keyboard.js";
import "./unsaved-changes.js";
import "./undo.js";
import "./select-all.js";
import "./live-choices.js";
