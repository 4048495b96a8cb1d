// npm onvif: PORT USER PASSWORD. Prints what it found as JSON, once it has been told of motion.
const { Cam } = require("onvif");
const [port, username, password] = process.argv.slice(2);

function fail(error) {
  console.error(String(error));
  process.exit(1);
}

new Cam({ hostname: "127.0.0.1", port: Number(port), username, password, timeout: 30000 }, function (error) {
  if (error) fail(error);
  const found = { profile: this.profiles[0].token || this.profiles[0].$.token, media2: Boolean(this.media2Support), topics: [] };
  this.getStreamUri({ protocol: "RTSP" }, (error, stream) => {
    if (error) fail(error);
    found.stream = stream.uri;
    this.getSnapshotUri({}, (error, snapshot) => {
      if (error) fail(error);
      found.snapshot = snapshot.uri;
      this.on("eventsError", fail);
      this.on("event", (message) => {
        found.topics.push(message.topic._);
        if (message.topic._ === "tns1:VideoSource/MotionAlarm") {
          console.log(JSON.stringify(found));
          process.exit(0);
        }
      });
    });
  });
});
