// npm node-onvif: PORT USER PASSWORD DIRECTORY. Prints what it found as JSON; the snapshot goes to DIRECTORY.
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { OnvifDevice } = require("node-onvif");
const [port, user, pass, directory] = process.argv.slice(2);

const device = new OnvifDevice({ xaddr: `http://127.0.0.1:${port}/onvif/device_service`, user, pass });
device
  .init()
  .then((information) => {
    const profile = device.getCurrentProfile();
    return Promise.all([device.fetchSnapshot(), device.services.events.getEventProperties()]).then(([{ body }, events]) => {
      writeFileSync(join(directory, "node_onvif.jpg"), body);
      const { token, snapshot, stream } = profile;
      const motion = Boolean(events.data.GetEventPropertiesResponse.TopicSet.VideoSource.MotionAlarm);
      const found = { serial: information.SerialNumber, profile: token, snapshot, stream: stream.rtsp, all: stream, motion };
      console.log(JSON.stringify(found));
      process.exit(0);
    });
  })
  .catch((error) => {
    console.error(String(error));
    process.exit(1);
  });
